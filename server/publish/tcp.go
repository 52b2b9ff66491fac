package publish

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

const (
	protocolTCP    = "tcp"
	maxFrame       = 16 << 20 // announced: more, and the stream is out of step
	maxMessage     = 4 << 20  // read: more than the largest sample takes
	maxConnections = 1024
	frameTime      = time.Minute // for a frame to be complete once it has begun
	tcpDrainTime   = 300 * time.Millisecond
)

// ServeTCP takes frames, each the length of a sample in msgpack as 8 bytes, little-endian, and the sample, from whoever connects,
// until ctx is done; then it takes what has come already and returns nil, or the error that ended it before. It closes ln.
func (m *Messages) ServeTCP(ctx context.Context, ln net.Listener) error {
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	defer ln.Close()
	in := m.d.intake(protocolTCP, nil, m.d.o.Secret)
	var connections sync.WaitGroup // each ends by itself, or soon after ctx
	defer connections.Wait()
	serving, cancel := context.WithCancel(ctx) // ends a moment after ctx, or with another error
	defer cancel()
	room := make(chan struct{}, maxConnections)
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			var netError net.Error
			if errors.As(err, &netError) && netError.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) {
				continue
			}
			return fmt.Errorf("tcp: %w", err)
		}
		select {
		case room <- struct{}{}:
		default:
			m.d.o.Logger.Warn("refused", "protocol", protocolTCP, "reason", "connections", "most", maxConnections, "from", conn.RemoteAddr().String())
			conn.Close()
			continue
		}
		connections.Go(func() {
			defer func() { <-room }()
			m.connection(serving, conn, in)
		})
	}
}

// connection takes the frames of a connection.
func (m *Messages) connection(ctx context.Context, conn net.Conn, in *intake) {
	defer conn.Close()
	until := func(t time.Time) { _ = conn.SetReadDeadline(t) }
	stop := context.AfterFunc(ctx, func() { until(time.Now().Add(tcpDrainTime)) })
	defer stop()
	wait := func(t time.Time) {
		if until(t); ctx.Err() != nil { // it may have set its own before
			until(time.Now().Add(tcpDrainTime))
		}
	}
	var from netip.AddrPort
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		from = a.AddrPort()
	}
	f := frames{r: bufio.NewReaderSize(conn, 128<<10), begun: func() {
		if ctx.Err() == nil {
			wait(time.Now().Add(frameTime))
		}
	}, waiting: func() {
		if ctx.Err() == nil {
			wait(time.Time{})
		}
	}}
	for {
		frame, err := f.next()
		var bad *Refusal
		switch {
		case err == nil:
			m.q.put(frame, in, from)
			continue
		case errors.As(err, &bad):
			m.d.o.Refused.Add(protocolTCP, bad.Reason, 1)
			m.d.log.tell(protocolTCP, from, bad, 1)
			if f.lost {
				return
			}
		default: // the end, or the connection is broken between two frames
			return
		}
	}
}

// frames reads frames. After an error that is a *Refusal it may go on, unless the stream is lost.
type frames struct {
	r              *bufio.Reader
	begun, waiting func() // called before the rest of a frame is waited for, and before a frame is
	buf            bytes.Buffer
	lost           bool
}

// next gives a frame, valid until the next call. io.EOF: the stream has ended. A frame that is cut short is a *Refusal.
func (f *frames) next() ([]byte, error) {
	var head [8]byte
	if f.r.Buffered() == 0 {
		f.waiting()
		if _, err := f.r.Peek(1); err != nil {
			return nil, err
		}
	}
	if f.r.Buffered() < len(head) {
		f.begun()
	}
	if n, err := io.ReadFull(f.r, head[:]); err != nil {
		f.lost = true
		return nil, refuse(reasonClosed, "the connection ended after %d of the 8 bytes of a length: %v", n, err)
	}
	length := binary.LittleEndian.Uint64(head[:])
	if length > maxFrame {
		f.lost = true
		return nil, refuse(reasonLarge, "a frame of %d bytes, the most is %d: the connection is closed", length, maxFrame)
	}
	if uint64(f.r.Buffered()) < length {
		f.begun()
	}
	f.buf.Reset()
	var into io.Writer = &f.buf
	if length > maxMessage {
		into = io.Discard
	}
	if n, err := io.CopyN(into, f.r, int64(length)); err != nil {
		f.lost = true
		return nil, refuse(reasonClosed, "the connection ended after %d of %d bytes of a frame: %v", n, length, err)
	}
	if length > maxMessage {
		return nil, refuse(reasonLarge, "a sample of %d bytes, the most is %d", length, maxMessage)
	}
	b := f.buf.Bytes()
	if f.buf.Cap() > 1<<20 {
		f.buf = bytes.Buffer{}
	}
	return b, nil
}
