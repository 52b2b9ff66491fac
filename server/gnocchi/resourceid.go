package gnocchi

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/telemetrydb/tsdb/engine"
)

// idSpace is the name space of the UUIDs of resources whose ids are other text.
var idSpace = engine.UUID{0x0a, 0x7a, 0x15, 0xff, 0xaa, 0x13, 0x4a, 0xc2, 0x89, 0x7c, 0x9b, 0xdf, 0x30, 0xce, 0x17, 0x5b}

const maxResourceID = 289 // characters of an id that is not a UUID

// What can be wrong with a resource id, in the words of the API.
var (
	errSlashInID = errors.New("'/' is not supported in resource id")
	errLongID    = errors.New("transformable resource id >289 max allowed characters")
)

// resourceID gives the UUID of a resource. Text that is no UUID gets one from itself and the caller, so that the same text of
// two users names two resources.
func resourceID(id, creator string) (engine.UUID, error) {
	if u, ok := canonicalUUID(id); ok {
		return u, nil
	}
	if strings.Contains(id, "/") {
		return engine.UUID{}, errSlashInID
	}
	if u, err := engine.ParseUUID(id); err == nil {
		return u, nil
	}
	if utf8.RuneCountInString(id) > maxResourceID {
		return engine.UUID{}, errLongID
	}
	return engine.UUIDv5(idSpace, id+"\x00"+creator), nil
}

// canonicalUUID reads the usual spelling, 36 characters with dashes, fast.
func canonicalUUID(s string) (u engine.UUID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, false
	}
	j := 0
	for i := 0; i < 36; i += 2 {
		if s[i] == '-' {
			i++
		}
		hi, lo := hexValues[s[i]], hexValues[s[i+1]]
		if hi|lo > 15 {
			return u, false
		}
		u[j] = hi<<4 | lo
		j++
	}
	return u, true
}

// hexValues are the values of hexadecimal digits, 255 for other characters.
var hexValues = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}()
