package body

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/telemetrydb/tsdb/server/limit"
	"github.com/valyala/fastjson"
)

// maxPooled is the largest body, in bytes, whose buffer and parser are kept for another request. A parser takes several times its body.
const maxPooled = 1 << 20

// Body is the body of a request. Its bytes and what is parsed of it are valid until Release.
type Body struct {
	buffer bytes.Buffer
	parser fastjson.Parser
	memory *limit.Reader // what it takes of the budget
}

var pool = sync.Pool{New: func() any { return new(Body) }}

// Read reads the body of r, of at most most bytes, whose encoding is none or one of those given in lower case. gzip is undone; what others mean is
// the caller's to know. Errors are *Error, or limit.ErrBusy when the budget has no room now.
func Read(r *http.Request, most int64, budget *limit.Budget, encodings ...string) (*Body, error) {
	if r.ContentLength > most {
		return nil, TooLarge(most)
	}
	encoding := strings.ToLower(r.Header.Get("Content-Encoding"))
	if encoding != "" && encoding != "identity" && !slices.Contains(encodings, encoding) {
		return nil, &Error{http.StatusUnsupportedMediaType, "Content encoding " + encoding + " is not supported", nil}
	}
	src, expected := io.Reader(r.Body), r.ContentLength
	if encoding == "gzip" {
		z, err := gzip.NewReader(io.LimitReader(r.Body, most))
		if err != nil {
			return nil, unreadable(err)
		}
		src, expected = z, 0
	}
	memory, err := limit.NewReader(src, budget, expected)
	if err != nil {
		return nil, err
	}
	b := pool.Get().(*Body)
	b.memory = memory
	b.buffer.Grow(int(min(max(expected, 0), maxPooled/2)) + bytes.MinRead) // a client may promise more than it sends
	n, err := b.buffer.ReadFrom(io.LimitReader(memory, most+1))
	switch {
	case n > most:
		err = TooLarge(most)
	case err != nil:
		err = unreadable(err)
	}
	if err != nil {
		b.Release()
		return nil, err
	}
	return b, nil
}

// Bytes are those that were read.
func (b *Body) Bytes() []byte { return b.buffer.Bytes() }

// Grow takes memory for what is made of the body, in bytes, until Release. Errors are *Error or limit.ErrBusy.
func (b *Body) Grow(bytes int64) error { return Unroomy(b.memory.Grow(bytes)) }

// Release gives the memory back. A nil Body has none.
func (b *Body) Release() {
	if b == nil {
		return
	}
	b.memory.Release()
	b.memory = nil
	if b.buffer.Cap() <= maxPooled {
		b.buffer.Reset()
		pool.Put(b)
	}
}

// What a value of a body takes when it is parsed, about, and how long a body is for each of them: no list of samples can be written with less.
const (
	valueBytes   = 128
	bytesAValue  = 8
	valuesAlways = 64 << 10 // may be in a body, however short it is
)

// Weigh takes memory for what the body becomes when it is parsed, which can be a hundred times as much as its bytes. Errors are *Error or limit.ErrBusy.
func (b *Body) Weigh() error {
	raw, values := b.Bytes(), 1
	for _, before := range []byte{',', '[', '{'} { // each value
		values += bytes.Count(raw, []byte{before})
	}
	if values > valuesAlways && values > len(raw)/bytesAValue {
		return &Error{http.StatusRequestEntityTooLarge, fmt.Sprintf("The body has more than %d values, and too many for its length", valuesAlways), nil}
	}
	return b.Grow(int64(values) * valueBytes)
}

// Parse makes values of a body that was weighed, or of a part of it: an *Error that is ErrSyntax if it is no JSON in UTF-8.
func (b *Body) Parse(raw []byte) (*fastjson.Value, error) {
	if utf8.Valid(raw) {
		if v, err := b.parser.ParseBytes(raw); err == nil {
			return v, nil
		}
	}
	return nil, &Error{http.StatusBadRequest, "The body is not valid JSON", ErrSyntax}
}

// What an Error may be because of.
var (
	ErrSyntax     = errors.New("no JSON in UTF-8")
	ErrCompressed = errors.New("not compressed as its header says")
)

// Error is why a body is not taken.
type Error struct {
	Status int    // of HTTP
	Text   string // a sentence without a full stop
	cause  error
}

func (e *Error) Error() string { return e.Text }

// Unwrap gives ErrSyntax, ErrCompressed or nil.
func (e *Error) Unwrap() error { return e.cause }

// TooLarge is the Error of a body of more than most bytes.
func TooLarge(most int64) error {
	return &Error{http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than the limit of %d bytes", most), nil}
}

// Unroomy makes limit.ErrLarge an Error and leaves others as they are.
func Unroomy(err error) error {
	if errors.Is(err, limit.ErrLarge) {
		return &Error{http.StatusRequestEntityTooLarge, "The body takes more memory than there is for those of all requests together", nil}
	}
	return err
}

// unreadable is the error of a body that could not be read.
func unreadable(err error) error {
	switch {
	case errors.Is(err, limit.ErrBusy):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{http.StatusRequestTimeout, "The body came too slowly", nil}
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.EOF):
		return &Error{http.StatusBadRequest, "The body cannot be decompressed", ErrCompressed}
	}
	return &Error{http.StatusBadRequest, "The body could not be read", nil}
}
