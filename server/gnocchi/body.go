package gnocchi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/klauspost/compress/gzip"
	"github.com/valyala/fastjson"
)

// maxPooledBytes is the largest body whose buffer and parser are kept for the next request. A parser takes several
// times its body.
const maxPooledBytes = 1 << 20

// body is a decoded request body. Values are valid until release.
type body struct {
	raw    bytes.Buffer
	parser fastjson.Parser
}

var bodies = sync.Pool{New: func() any { return new(body) }}

func (b *body) release() {
	if b.raw.Cap() > maxPooledBytes {
		return
	}
	b.raw.Reset()
	bodies.Put(b)
}

// readBody decodes the JSON body of a request of at most limit bytes.
func readBody(r *http.Request, limit int64) (*body, *fastjson.Value, error) {
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil, nil, fail(http.StatusUnsupportedMediaType, "")
	}
	if r.ContentLength > limit {
		return nil, nil, tooLarge(limit)
	}
	b := bodies.Get().(*body)
	v, err := b.read(r, limit)
	if err != nil {
		b.release()
		return nil, nil, err
	}
	return b, v, nil
}

func (b *body) read(r *http.Request, limit int64) (*fastjson.Value, error) {
	var src io.Reader = r.Body
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(io.LimitReader(r.Body, limit))
		if err != nil {
			return nil, undecodable()
		}
		src = z
	default:
		return nil, fail(http.StatusUnsupportedMediaType, "Content encoding "+encoding+" is not supported")
	}
	n, err := b.raw.ReadFrom(io.LimitReader(src, limit+1))
	switch {
	case n > limit:
		return nil, tooLarge(limit)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return nil, undecodable()
	case err != nil:
		return nil, badRequest("The body could not be read")
	}
	if !utf8.Valid(b.raw.Bytes()) {
		return nil, undecodable()
	}
	v, err := b.parser.ParseBytes(b.raw.Bytes())
	if err != nil {
		return nil, undecodable()
	}
	return v, nil
}

func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json"
}

func tooLarge(limit int64) error {
	return fail(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than the limit of %d bytes", limit))
}

// unsafeString is b as a string without a copy: valid, and constant, only as long as b is.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// decode reads the body of the call, which keeps it until the answer is written.
func (c *call) decode() (*fastjson.Value, error) {
	b, v, err := readBody(c.r, c.o.MaxBodyBytes)
	c.body = b
	return v, err
}
