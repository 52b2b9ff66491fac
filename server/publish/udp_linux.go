package publish

import (
	"encoding/binary"
	"net"
	"syscall"
)

// soRxqOvfl is SO_RXQ_OVFL: each datagram comes with how many the system has dropped of the socket before it.
const soRxqOvfl = 40

func tellsDrops(conn *net.UDPConn) {
	control(conn, func(fd int) { _ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, soRxqOvfl, 1) })
}

// growBuffer asks for a receive buffer of so many bytes: beyond what the system allows for everybody, if we may.
func growBuffer(conn *net.UDPConn, bytes int) {
	_ = conn.SetReadBuffer(bytes)
	control(conn, func(fd int) { _ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, bytes) })
}

func control(conn *net.UDPConn, fn func(fd int)) {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { fn(int(fd)) })
	}
}

// drops reads how many datagrams the system has dropped so far.
func drops(oob []byte) (n uint32, ok bool) {
	list, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return 0, false
	}
	for _, m := range list {
		if m.Header.Level == syscall.SOL_SOCKET && m.Header.Type == soRxqOvfl && len(m.Data) >= 4 {
			return binary.NativeEndian.Uint32(m.Data), true
		}
	}
	return 0, false
}
