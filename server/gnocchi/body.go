package gnocchi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/klauspost/compress/gzip"
	"github.com/telemetrydb/tsdb/server/limit"
	"github.com/valyala/fastjson"
)

// maxPooledBytes is the largest body whose buffer and parser are kept for the next request. A parser takes several
// times its body.
const maxPooledBytes = 1 << 20

// body is a decoded request body. Values are valid until release.
type body struct {
	raw    bytes.Buffer
	parser fastjson.Parser
	memory *limit.Reader // what the body takes of the budget
}

var bodies = sync.Pool{New: func() any { return new(body) }}

func (b *body) release() {
	if b.memory != nil {
		b.memory.Release()
		b.memory = nil
	}
	if b.raw.Cap() > maxPooledBytes {
		return
	}
	b.raw.Reset()
	bodies.Put(b)
}

// readBody decodes the JSON body of a request, of the given media type and of at most most bytes, which it takes from the
// budget until release.
func readBody(r *http.Request, media string, most int64, budget *limit.Budget) (*body, *fastjson.Value, error) {
	if !isMedia(r.Header.Get("Content-Type"), media) {
		return nil, nil, fail(http.StatusUnsupportedMediaType, "")
	}
	if r.ContentLength > most {
		return nil, nil, tooLarge(most)
	}
	b := bodies.Get().(*body)
	v, err := b.read(r, most, budget)
	if err != nil {
		b.release()
		return nil, nil, err
	}
	return b, v, nil
}

func (b *body) read(r *http.Request, most int64, budget *limit.Budget) (*fastjson.Value, error) {
	var src io.Reader = r.Body
	expected := r.ContentLength
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(io.LimitReader(r.Body, most))
		if err != nil {
			return nil, unreadable(err)
		}
		src, expected = z, 0
	default:
		return nil, fail(http.StatusUnsupportedMediaType, "Content encoding "+encoding+" is not supported")
	}
	var err error
	if b.memory, err = limit.NewReader(src, budget, expected); err != nil {
		return nil, err
	}
	n, err := b.raw.ReadFrom(io.LimitReader(b.memory, most+1))
	if n > most {
		return nil, tooLarge(most)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	if !utf8.Valid(b.raw.Bytes()) {
		return nil, undecodable()
	}
	if err := b.weigh(); err != nil {
		return nil, err
	}
	v, err := b.parser.ParseBytes(b.raw.Bytes())
	if err != nil {
		return nil, undecodable()
	}
	return v, nil
}

// What the values of a body take when it is parsed, about, and how long a body is for each of them: no list of measures can be
// written with less.
const (
	valueBytes   = 128
	bytesAValue  = 8
	valuesAlways = 64 << 10 // may be in a body, however short it is
)

// weigh takes memory for what the body becomes when it is parsed, which can be a hundred times as much as the body.
func (b *body) weigh() error {
	raw := b.raw.Bytes()
	values := 1 // each is behind one of these
	for _, c := range []byte{',', '[', '{'} {
		values += bytes.Count(raw, []byte{c})
	}
	if values > valuesAlways && values > len(raw)/bytesAValue {
		return fail(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body has more than %d values, and too many for its length", valuesAlways))
	}
	return unroomy(b.memory.Grow(int64(values) * valueBytes))
}

// unroomy answers for a body that there can be no room for.
func unroomy(err error) error {
	if errors.Is(err, limit.ErrLarge) {
		return fail(http.StatusRequestEntityTooLarge, "The body takes more memory than there is for those of all requests together")
	}
	return err
}

// unreadable answers for a body that could not be read.
func unreadable(err error) error {
	switch {
	case errors.Is(err, limit.ErrBusy):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fail(http.StatusRequestTimeout, "The body came too slowly")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.EOF):
		return undecodable()
	}
	return badRequest("The body could not be read")
}

func isMedia(contentType, want string) bool {
	if contentType == want {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == want
}

func tooLarge(most int64) error {
	return fail(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than the limit of %d bytes", most))
}

// unsafeString is b as a string without a copy: valid, and constant, only as long as b is.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// jsonMedia is the media type of nearly all bodies.
const jsonMedia = "application/json"

// maxDocument is the longest body that is no list of measures, in bytes.
const maxDocument = 1 << 20

// decode reads the body of the call, which keeps it until the answer is written.
func (c *call) decode() (*fastjson.Value, error) { return c.decodeMedia(jsonMedia) }

// decodeMedia is decode of a body of another media type.
func (c *call) decodeMedia(media string) (*fastjson.Value, error) {
	return c.decodeUpTo(min(c.o.MaxBodyBytes, maxDocument), media)
}

// decodeMeasures is decode of a body that brings measures.
func (c *call) decodeMeasures() (*fastjson.Value, error) {
	return c.decodeUpTo(c.o.MaxBodyBytes, jsonMedia)
}

func (c *call) decodeUpTo(most int64, media string) (*fastjson.Value, error) {
	b, v, err := readBody(c.r, media, most, c.budget())
	c.body = b
	return v, err
}

// budget is the memory for the call's body.
func (c *call) budget() *limit.Budget { return limit.BudgetOf(c.r.Context(), c.o.Budget) }

// decodeIfAny is decode, nil if there is no body.
func (c *call) decodeIfAny() (*fastjson.Value, error) {
	if c.r.ContentLength < 0 {
		first := make([]byte, 1)
		n, err := io.ReadFull(c.r.Body, first)
		if n == 0 && err == io.EOF {
			return nil, nil
		}
		c.r.Body = readCloser{io.MultiReader(bytes.NewReader(first[:n]), c.r.Body), c.r.Body}
	}
	if c.r.ContentLength == 0 {
		return nil, nil
	}
	return c.decode()
}

type readCloser struct {
	io.Reader
	io.Closer
}
