package served

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/telemetrydb/tsdb/bench/direct"
)

// basicAdmin is the user admin without a password.
const basicAdmin = "Basic YWRtaW46"

// Client sends one request at a time over one kept connection.
type Client struct {
	base      string
	transport direct.Transport
	body      bytes.Buffer // of the last answer
}

// NewClient returns a client of the server at base, as user admin.
func NewClient(base string) *Client {
	return &Client{base: base, transport: direct.Transport{Timeout: 5 * time.Minute}}
}

// Do sends body (nil: none) and returns the answer's body, valid until the next call, and how long it took until its last byte.
func (c *Client) Do(method, path string, body []byte, want int) (answer []byte, took time.Duration, err error) {
	a, err := c.Ask(method, path, body)
	if err != nil {
		return nil, 0, err
	}
	if a.Status != want {
		return nil, a.Took, fmt.Errorf("%s %s: status %d, want %d: %s", method, path, a.Status, want, a.Body[:min(len(a.Body), 500)])
	}
	return a.Body, a.Took, nil
}

// Answer is what came back. Body is valid until the client's next call.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Took   time.Duration // until the last byte
}

// Ask sends body (nil: none) and takes whatever answer there is.
func (c *Client) Ask(method, path string, body []byte) (a Answer, err error) {
	var payload io.Reader
	if body != nil {
		payload = bytes.NewReader(body)
	}
	r, err := http.NewRequest(method, c.base+path, payload)
	if err != nil {
		return a, err
	}
	r.Header.Set("Authorization", basicAdmin)
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	start := time.Now()
	answered, err := c.transport.RoundTrip(r)
	if err != nil {
		return a, err
	}
	defer answered.Body.Close()
	c.body.Reset()
	if _, err := c.body.ReadFrom(answered.Body); err != nil {
		return a, err
	}
	return Answer{answered.StatusCode, answered.Header, c.body.Bytes(), time.Since(start)}, nil
}

// Close gives back the connection.
func (c *Client) Close() { c.transport.Close() }
