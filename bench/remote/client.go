package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/bench/direct"
)

const (
	answerLimit  = 2 * time.Minute // of a request until the last byte of its answer
	longestError = 500             // bytes of an answer that an error quotes
	errorWait    = 200 * time.Millisecond
)

// Client sends one request at a time over one kept connection.
type Client struct {
	product   string
	base      string
	ended     func(wait time.Duration) error // tells why the server is gone
	transport direct.Transport
	header    http.Header
	body      bytes.Buffer // of the last answer
}

// NewClient returns a client of a product's server at base, an URL without a slash at its end. header goes with each request.
func NewClient(product, base string, header http.Header) *Client {
	return &Client{product: product, base: base, header: header, transport: direct.Transport{Timeout: answerLimit}}
}

// StatusError is an answer that is none of what was wanted.
type StatusError struct {
	Request string // product, method and path
	Status  int
	Text    string // the answer, or its beginning
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: status %d %s: %s", e.Request, e.Status, http.StatusText(e.Status), strings.TrimSpace(e.Text))
}

// Do sends a body (nil: none) and returns that of the answer, valid until the next call. An answer whose status is not 2xx is a StatusError.
func (c *Client) Do(method, path, contentType string, body []byte) ([]byte, error) {
	var payload io.Reader
	if body != nil {
		payload = bytes.NewReader(body)
	}
	r, err := http.NewRequest(method, c.base+path, payload)
	if err != nil {
		return nil, err
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	request := fmt.Sprintf("%s: %s %s", c.product, method, shortened(path))
	answer, err := c.transport.RoundTrip(r)
	if err != nil {
		return nil, c.explain(request, err)
	}
	defer answer.Body.Close()
	c.body.Reset()
	if _, err := c.body.ReadFrom(answer.Body); err != nil {
		return nil, c.explain(request, err)
	}
	if answer.StatusCode/100 != 2 {
		return nil, &StatusError{request, answer.StatusCode, shortened(c.body.String())}
	}
	return c.body.Bytes(), nil
}

// Get is Do without a body.
func (c *Client) Get(path string) ([]byte, error) { return c.Do(http.MethodGet, path, "", nil) }

func shortened(s string) string {
	if len(s) > longestError {
		return s[:longestError] + "..."
	}
	return s
}

// explain makes an error of a request say whether the server has died or hangs.
func (c *Client) explain(request string, err error) error {
	var netErr net.Error
	if errors.As(err, &netErr) && netErr.Timeout() {
		return fmt.Errorf("%s: no whole answer within %v", request, c.transport.Timeout)
	}
	if c.ended != nil {
		if gone := c.ended(errorWait); gone != nil { // what the server said last says more than that the connection broke
			return fmt.Errorf("%s: %w", request, gone)
		}
	}
	return fmt.Errorf("%s: %w", request, err)
}

// Close gives back the connection.
func (c *Client) Close() { c.transport.Close() }
