package engine

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// UUID is a universally unique identifier (RFC 9562). It sorts as bytes.
type UUID [16]byte

// ParseUUID reads any form that Python's UUID() takes: with or without dashes, upper case, braces, urn:uuid:.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	t := strings.ReplaceAll(strings.ReplaceAll(s, "urn:", ""), "uuid:", "")
	t = strings.ReplaceAll(strings.Trim(t, "{}"), "-", "")
	if len(t) != 32 {
		return u, &Error{Kind: "UUID", Name: s, Err: ErrInvalid, Detail: "want 32 hexadecimal digits"}
	}
	if _, err := hex.Decode(u[:], []byte(t)); err != nil {
		return u, &Error{Kind: "UUID", Name: s, Err: ErrInvalid, Detail: err.Error()}
	}
	return u, nil
}

// NewUUID returns a random UUID (version 4).
func NewUUID() UUID {
	var u UUID
	rand.Read(u[:]) // never fails: crypto/rand ends the process rather than return weak bytes
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u
}

// UUIDv5 returns the name-based UUID of name in space (RFC 9562, version 5).
func UUIDv5(space UUID, name string) UUID {
	h := sha1.New()
	h.Write(space[:])
	h.Write([]byte(name))
	var u UUID
	copy(u[:], h.Sum(nil))
	u[6], u[8] = u[6]&0x0f|0x50, u[8]&0x3f|0x80
	return u
}

// String gives the canonical lower-case form.
func (u UUID) String() string {
	b := [36]byte{8: '-', 13: '-', 18: '-', 23: '-'}
	for _, part := range [...]struct{ to, from, n int }{{0, 0, 4}, {9, 4, 2}, {14, 6, 2}, {19, 8, 2}, {24, 10, 6}} {
		hex.Encode(b[part.to:], u[part.from:part.from+part.n])
	}
	return string(b[:])
}
