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
)

// ListenUDP opens a socket for ServeUDP, with as much room for datagrams that wait as the system gives.
func ListenUDP(address string) (*net.UDPConn, error) {
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	udp := conn.(*net.UDPConn) // what "udp" gives
	tellsDrops(udp)
	growBuffer(udp, receiveBuffer)
	return udp, nil
}

// ServeUDP takes datagrams, each a sample in msgpack, until ctx is done; then it takes those that the system has already and returns
// nil, or the error that ended it before. It closes conn. What the system drops is counted if ListenUDP opened the socket and the
// system tells.
func (m *Messages) ServeUDP(ctx context.Context, conn *net.UDPConn) error {
	defer conn.Close()
	// A read that waits is ended by the deadline; Close would take away what waits in the socket.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now().Add(drainPause)) })
	defer stop()
	in := m.d.intake(protocolUDP, nil, m.d.o.Secret)
	buf, oob := make([]byte, maxDatagram), make([]byte, 128)
	var dropped uint32
	var last time.Time
	for {
		n, oobn, _, from, err := conn.ReadMsgUDPAddrPort(buf, oob)
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
		if oobn > 0 {
			if now, told := drops(oob[:oobn]); told && now != dropped {
				m.d.o.Refused.Add(protocolUDP, reasonDropped, int(now-dropped)) // it wraps around
				m.d.log.tell(protocolUDP, from, refuse(reasonDropped, "the system had no room for datagrams"), int(now-dropped))
				dropped = now
			}
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

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
