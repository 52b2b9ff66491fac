package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	answerLimit = 3 * time.Minute // of one request
	quoted      = 300             // bytes of an answer in an error
	longest     = 1 << 30         // bytes of an answer
	pageRows    = 1000
)

// client sends requests as the user admin, unless the URL names another.
type client struct {
	base string // without a slash at its end, and without the user
	user *url.Userinfo
	http http.Client
}

func newClient(uri string) (*client, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no URL of a Gnocchi: want http://HOST:PORT", uri)
	}
	c := &client{user: u.User, http: http.Client{Timeout: answerLimit}}
	if c.user == nil {
		c.user = url.UserPassword("admin", "")
	}
	u.User = nil
	c.base = strings.TrimSuffix(u.String(), "/")
	return c, nil
}

// do sends a body (nil: none) and returns the answer's header and body, if its status is one of those wanted.
func (c *client) do(method, path string, body []byte, want ...int) (http.Header, []byte, error) {
	var payload io.Reader
	if body != nil {
		payload = bytes.NewReader(body)
	}
	r, err := http.NewRequest(method, c.base+path, payload)
	if err != nil {
		return nil, nil, err
	}
	password, _ := c.user.Password()
	r.SetBasicAuth(c.user.Username(), password)
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, nil, fmt.Errorf("gnocchi: %w", err) // with method and URL
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, longest))
	if err != nil {
		return nil, nil, fmt.Errorf("gnocchi at %s: %s %s: %w", c.base, method, path, err)
	}
	if !slices.Contains(want, answer.StatusCode) {
		return nil, nil, fmt.Errorf("gnocchi at %s: %s %s: status %s: %s", c.base, method, path, answer.Status, text[:min(len(text), quoted)])
	}
	return answer.Header, text, nil
}

func (c *client) post(path string, body any, want ...int) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, _, err = c.do(http.MethodPost, path, text, want...)
	return err
}

func (c *client) remove(path string, want ...int) error {
	_, _, err := c.do(http.MethodDelete, path, nil, want...)
	return err
}

func (c *client) exists(path string) (bool, error) {
	_, text, err := c.do(http.MethodGet, path, nil, http.StatusOK, http.StatusNotFound)
	return err == nil && bytes.Contains(text, []byte(`"attributes"`)), err
}

// get decodes an answer.
func (c *client) get(path string, into any) error {
	_, text, err := c.do(http.MethodGet, path, nil, http.StatusOK)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("gnocchi at %s: GET %s: %w: %s", c.base, path, err, text[:min(len(text), quoted)])
	}
	return nil
}

// build is the version.
func (c *client) build() (string, error) {
	var root struct{ Build string }
	err := c.get("/", &root)
	if err == nil && root.Build == "" {
		return "of unknown version", nil
	}
	return root.Build, err
}

// backlog is how many measures wait to be aggregated.
func (c *client) backlog() (int64, error) {
	var status struct {
		Storage struct {
			Summary *struct{ Measures, Metrics int64 }
		}
	}
	if err := c.get("/v1/status?details=false", &status); err != nil {
		return 0, err
	}
	if status.Storage.Summary == nil {
		return 0, fmt.Errorf("gnocchi at %s: GET /v1/status tells no backlog", c.base)
	}
	return max(status.Storage.Summary.Measures, status.Storage.Summary.Metrics), nil
}

// resource is what is read of a resource.
type resource struct {
	ID       string
	Original string `json:"original_resource_id"`
	Project  string `json:"project_id"`
	Host     string
	Metrics  map[string]string // ids by name
}

// eachResource lists resources page by page.
func (c *client) eachResource(method, path string, body []byte, each func(resource) error) error {
	query := "?limit=" + strconv.Itoa(pageRows)
	for marker := ""; ; {
		header, text, err := c.do(method, path+query+marker, body, http.StatusOK)
		if err != nil {
			return err
		}
		var page []resource
		if err := json.Unmarshal(text, &page); err != nil {
			return fmt.Errorf("gnocchi at %s: %s %s: %w: %s", c.base, method, path, err, text[:min(len(text), quoted)])
		}
		for _, r := range page {
			if err := each(r); err != nil {
				return err
			}
		}
		if len(page) == 0 || !strings.Contains(header.Get("Link"), `rel="next"`) {
			return nil
		}
		marker = "&marker=" + page[len(page)-1].ID
	}
}
