package served

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"
)

// basicAdmin is the user admin without a password.
const basicAdmin = "Basic YWRtaW46"

// Client sends one request at a time over one kept connection.
type Client struct {
	base string
	http http.Client
	body bytes.Buffer // of the last answer
}

// NewClient returns a client of the server at base, as user admin.
func NewClient(base string) *Client {
	return &Client{base: base, http: http.Client{Timeout: 5 * time.Minute,
		Transport: &http.Transport{MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1, DisableCompression: true}}}
}

// Do sends body (nil: none) and returns the answer's body, valid until the next call, and how long it took until its last byte.
func (c *Client) Do(method, path string, body []byte, want int) (answer []byte, took time.Duration, err error) {
	var payload io.Reader
	if body != nil {
		payload = bytes.NewReader(body)
	}
	r, err := http.NewRequest(method, c.base+path, payload)
	if err != nil {
		return nil, 0, err
	}
	r.Header.Set("Authorization", basicAdmin)
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	start := time.Now()
	answered, err := c.http.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer answered.Body.Close()
	c.body.Reset()
	if _, err := c.body.ReadFrom(answered.Body); err != nil {
		return nil, 0, err
	}
	took = time.Since(start)
	if answered.StatusCode != want {
		text := c.body.Bytes()[:min(c.body.Len(), 500)]
		return nil, took, fmt.Errorf("%s %s: status %d, want %d: %s", method, path, answered.StatusCode, want, text)
	}
	return c.body.Bytes(), took, nil
}

// Close gives back the connection.
func (c *Client) Close() { c.http.CloseIdleConnections() }
