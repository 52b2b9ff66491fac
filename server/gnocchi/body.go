package gnocchi

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"unsafe"

	"github.com/telemetrydb/tsdb/server/body"
	"github.com/telemetrydb/tsdb/server/limit"
	"github.com/valyala/fastjson"
)

func isMedia(contentType, want string) bool {
	if contentType == want {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == want
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
	if !isMedia(c.r.Header.Get("Content-Type"), media) {
		return nil, fail(http.StatusUnsupportedMediaType, "")
	}
	raw, err := c.rawBody(most, "gzip")
	if err == nil {
		err = c.body.Weigh()
	}
	if err != nil {
		return nil, err
	}
	return c.body.Parse(raw)
}

// rawBody reads a body of any kind, at most most bytes of it, and keeps it until the answer has been written. The encodings are what the protocol allows for,
// beside none.
func (c *call) rawBody(most int64, encodings ...string) (raw []byte, err error) {
	if c.body, err = body.Read(c.r, most, c.budget(), encodings...); err != nil {
		return nil, err
	}
	return c.body.Bytes(), nil
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
