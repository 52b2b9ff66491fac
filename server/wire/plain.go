package wire

import "bytes"

var endOfHead = []byte("\r\n\r\n")

// headLength gives the length of the head that b begins with; 0: it is not all there.
func headLength(b []byte) int {
	i := bytes.Index(b, endOfHead)
	if i < 0 {
		return 0
	}
	return i + len(endOfHead)
}

// plain tells whether a head is that of a request that is served here. The rest is net/http's: what is wrong with it, too, is for net/http to say.
func plain(head []byte) bool {
	line, rest, ok := bytes.Cut(head, endOfHead[:2])
	if !ok || !plainLine(line) {
		return false
	}
	hosts, lengths := 0, 0
	for {
		line, rest, ok = bytes.Cut(rest, endOfHead[:2])
		if !ok {
			return false
		}
		if len(line) == 0 {
			return hosts == 1 && lengths <= 1
		}
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok || !all(name, &inName) || !all(value, &inValue) || len(name) == 0 {
			return false
		}
		value = bytes.Trim(value, " \t")
		switch {
		case is(name, "host"):
			hosts++
			ok = len(value) > 0 && all(value, &inHost)
		case is(name, "content-length"):
			lengths++
			ok = len(value) > 0 && len(value) < 16 && all(value, &inLength)
		case is(name, "connection"):
			ok = is(value, "keep-alive")
		case is(name, "transfer-encoding"), is(name, "expect"), is(name, "upgrade"), is(name, "trailer"), is(name, "http2-settings"):
			ok = false
		}
		if !ok {
			return false
		}
	}
}

// plainLine tells whether a request line is one of a usual method, a path, and HTTP/1.1.
func plainLine(line []byte) bool {
	method, rest, ok := bytes.Cut(line, []byte{' '})
	if !ok {
		return false
	}
	switch string(method) {
	case "GET", "POST", "PUT", "PATCH", "DELETE":
	default:
		return false
	}
	target, proto, ok := bytes.Cut(rest, []byte{' '})
	return ok && string(proto) == "HTTP/1.1" && len(target) > 0 && target[0] == '/' && all(target, &inValue)
}

func is(b []byte, lower string) bool {
	return len(b) == len(lower) && bytes.EqualFold(b, []byte(lower))
}

// set is a set of bytes.
type set [256]bool

var (
	inName   = setOf("!#$%&'*+-.^_`|~", alphanumeric)
	inHost   = setOf("-._:[]", alphanumeric)
	inLength = setOf(alphanumeric[:10])
	inValue  = printable()
)

const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func setOf(of ...string) (s set) {
	for _, some := range of {
		for i := range len(some) {
			s[some[i]] = true
		}
	}
	return s
}

// printable is what values may have: no control characters but the tab.
func printable() (s set) {
	for c := range s {
		s[c] = c >= ' ' && c != 0x7f || c == '\t'
	}
	return s
}

func all(b []byte, of *set) bool {
	for _, c := range b {
		if !of[c] {
			return false
		}
	}
	return true
}
