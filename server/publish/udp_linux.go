//go:build !386 && !s390x

package publish

import (
	"net"
	"syscall"
	"unsafe"
)

// soMeminfo is SO_MEMINFO: numbers about a socket's memory, of which the one at meminfoDrops is how many datagrams were dropped.
const (
	soMeminfo    = 55
	meminfoDrops = 8
)

// growBuffer asks for a receive buffer of so many bytes: beyond what the system allows for everybody, if we may.
func growBuffer(conn *net.UDPConn, bytes int) {
	_ = conn.SetReadBuffer(bytes)
	control(conn, func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, bytes)
	})
}

func control(conn *net.UDPConn, fn func(fd uintptr)) {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(fn)
	}
}

// drops is how many datagrams the system has dropped of the socket so far; 0 if it does not tell.
func drops(conn *net.UDPConn) uint32 {
	var info [meminfoDrops + 1]uint32
	length := uint32(unsafe.Sizeof(info))
	control(conn, func(fd uintptr) {
		_, _, _ = syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.SOL_SOCKET, soMeminfo, uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&length)), 0)
	})
	return info[meminfoDrops]
}
