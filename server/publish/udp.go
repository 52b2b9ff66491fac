package publish

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

const (
	protocolUDP   = "udp"
	maxDatagram   = 64 << 10 // more does not fit into UDP
	receiveBuffer = 64 << 20 // of the socket: bursts wait here while the queue is full; the system may allow less
	drainPause    = 50 * time.Millisecond
	drainTime     = 2 * time.Second
	dropsEvery    = time.Second
)

// ListenUDP opens a socket for ServeUDP, with as much room for datagrams that wait as the system gives.
func ListenUDP(address string) (*net.UDPConn, error) {
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	udp := conn.(*net.UDPConn) // what "udp" gives
	growBuffer(udp, receiveBuffer)
	return udp, nil
}

// ServeUDP takes datagrams, each a sample in msgpack, until ctx is done; then it takes those that the system has already and returns
// nil, or the error that ended it before. It closes conn. What the system drops is counted where it tells.
func (m *Messages) ServeUDP(ctx context.Context, conn *net.UDPConn) error {
	defer conn.Close()
	// A read that waits is ended by the deadline; Close would take away what waits in the socket.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now().Add(drainPause)) })
	defer stop()
	in := m.d.intake(protocolUDP, nil, m.d.o.Secret)
	buf := make([]byte, maxDatagram)
	watch, done := make(chan struct{}), make(chan struct{})
	go func() { // ends when it is told to, which is waited for
		defer close(done)
		m.watchDrops(conn, watch)
	}()
	defer func() {
		close(watch)
		<-done
	}()
	var last time.Time
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			var netError net.Error
			if errors.As(err, &netError) && netError.Timeout() {
				continue
			}
			return fmt.Errorf("udp: %w", err)
		}
		m.q.put(buf[:n], in, from)
		if ctx.Err() != nil {
			if last.IsZero() {
				last = time.Now().Add(drainTime)
			}
			_ = conn.SetReadDeadline(earlier(time.Now().Add(drainPause), last))
		}
	}
}

// watchDrops counts what the system drops of the socket for want of room, until it is told to end.
func (m *Messages) watchDrops(conn *net.UDPConn, end <-chan struct{}) {
	tick := time.NewTicker(dropsEvery)
	defer tick.Stop()
	before := uint32(0)
	for ended := false; !ended; {
		select {
		case <-tick.C:
		case <-end:
			ended = true
		}
		if now := drops(conn); now != before {
			n := int(now - before) // it wraps around
			before = now
			m.d.o.Refused.Add(protocolUDP, reasonDropped, n)
			m.d.log.tell(protocolUDP, conn.LocalAddr(), refuse(reasonDropped, "the system had no room for datagrams"), n)
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
