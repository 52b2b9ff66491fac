package ceilometer

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

	"github.com/klauspost/compress/gzip"
	"github.com/telemetrydb/tsdb/server/limit"
	"github.com/valyala/fastjson"
)

// body is a decoded request body. Values are valid until release.
type body struct {
	raw    bytes.Buffer
	parser fastjson.Parser
	memory *limit.Reader // what the body takes of the budget
}

var bodies = sync.Pool{New: func() any { return new(body) }}

// maxPooledBody is the largest body whose buffer and parser are kept for the next request.
const maxPooledBody = 1 << 20

func (b *body) release() {
	if b.memory != nil {
		b.memory.Release()
		b.memory = nil
	}
	if b.raw.Cap() > maxPooledBody {
		return
	}
	b.raw.Reset()
	bodies.Put(b)
}

// What a value of a body takes when it is parsed, about, how long a body is for each of them, and how many may be in any.
const (
	valueBytes   = 128
	bytesAValue  = 8
	valuesAlways = 64 << 10
)

// decode reads the body of the call, which keeps it until the answer is written. nil: there is none.
func (c *call) decode(most int64) (*fastjson.Value, error) {
	raw, err := c.read(most)
	if err != nil {
		return nil, err
	}
	return c.parse(raw)
}

// read is decode without its second half, parse.
func (c *call) read(most int64) ([]byte, error) {
	media, form, err := mediaOf(c.r.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	if c.r.ContentLength > most {
		return nil, tooLarge(most)
	}
	c.body = bodies.Get().(*body)
	if err := c.body.read(c.r, most, limit.BudgetOf(c.r.Context(), c.o.Budget)); err != nil {
		return nil, err
	}
	raw := bytes.TrimSpace(c.body.raw.Bytes())
	if len(raw) == 0 || form {
		return nil, nil
	}
	if media != "" && media != "application/json" {
		return nil, fail(http.StatusUnsupportedMediaType, "Unknown mimetype: "+media)
	}
	return raw, c.body.weigh()
}

// parse makes values of a body that was read, or of what is left of it.
func (c *call) parse(raw []byte) (*fastjson.Value, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	v, err := c.body.parser.ParseBytes(raw)
	if err != nil || !utf8.Valid(raw) {
		return nil, badRequest("Request is not in valid JSON format")
	}
	return v, nil
}

// mediaOf gives the media type of a body, "" if it is not said. Arguments may come in forms, which have none that count here.
func mediaOf(contentType string) (media string, form bool, err error) {
	if contentType == "" || contentType == "application/json" {
		return contentType, false, nil
	}
	media, _, err = mime.ParseMediaType(contentType)
	switch {
	case err == nil && media == "application/json":
		return media, false, nil
	case err == nil && (media == "application/x-www-form-urlencoded" || media == "multipart/form-data"):
		return media, true, nil
	}
	return "", false, fail(http.StatusUnsupportedMediaType, "Unknown mimetype: "+contentType)
}

func (b *body) read(r *http.Request, most int64, budget *limit.Budget) (err error) {
	var src io.Reader = r.Body
	expected := r.ContentLength
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(io.LimitReader(r.Body, most))
		if err != nil {
			return unreadable(err)
		}
		src, expected = z, 0
	default:
		return fail(http.StatusUnsupportedMediaType, "Content encoding "+encoding+" is not supported")
	}
	if b.memory, err = limit.NewReader(src, budget, expected); err != nil {
		return err
	}
	n, err := b.raw.ReadFrom(io.LimitReader(b.memory, most+1))
	if n > most {
		return tooLarge(most)
	}
	if err != nil {
		return unreadable(err)
	}
	return nil
}

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
	err := b.memory.Grow(int64(values) * valueBytes)
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
	}
	return badRequest("The body could not be read")
}

func tooLarge(most int64) error {
	return fail(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than the limit of %d bytes", most))
}
