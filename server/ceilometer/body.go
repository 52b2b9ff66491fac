package ceilometer

import (
	"bytes"
	"mime"
	"net/http"

	"github.com/telemetrydb/tsdb/server/body"
	"github.com/telemetrydb/tsdb/server/limit"
	"github.com/valyala/fastjson"
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
	c.body, err = body.Read(c.r, most, limit.BudgetOf(c.r.Context(), c.o.Budget), "gzip")
	if err != nil {
		return nil, err
	}
	raw := bytes.TrimSpace(c.body.Bytes())
	if len(raw) == 0 || form {
		return nil, nil
	}
	if media != "" && media != "application/json" {
		return nil, fail(http.StatusUnsupportedMediaType, "Unknown mimetype: "+media)
	}
	return raw, c.body.Weigh()
}

// parse makes values of a body that was read, or of what is left of it.
func (c *call) parse(raw []byte) (*fastjson.Value, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	return c.body.Parse(raw)
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
