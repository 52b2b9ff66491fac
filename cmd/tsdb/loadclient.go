package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client talks to a server as one user.
type client struct {
	base, auth string
	http       *http.Client
}

// answerError is an answer of the server that is not a success.
type answerError struct {
	status int
	text   string          // of a description that is text
	object json.RawMessage // the description as it came
}

func (e *answerError) Error() string {
	if e.text != "" {
		return fmt.Sprintf("%d: %s", e.status, e.text)
	}
	return fmt.Sprintf("%d: %s", e.status, e.object)
}

func newClient(base, user string) *client {
	return &client{
		base: strings.TrimRight(base, "/"),
		auth: "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":")),
		http: &http.Client{Timeout: 5 * time.Minute},
	}
}

// do sends a request and decodes a JSON answer into out, unless that is nil.
func (c *client) do(ctx context.Context, method, path string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", c.auth)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return answer(resp.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

func answer(status int, text []byte) error {
	e := &answerError{status: status}
	var body struct {
		Description json.RawMessage `json:"description"`
	}
	if json.Unmarshal(text, &body) != nil || body.Description == nil {
		e.text = strings.TrimSpace(string(text[:min(len(text), 200)]))
		return e
	}
	e.object = body.Description
	if json.Unmarshal(body.Description, &e.text) != nil {
		e.text = ""
	}
	return e
}

const batchPath = "/v1/batch/resources/metrics/measures?create_metrics=true"

// post stores a batch, creating resources that the server does not know.
func (l *loader) post(ctx context.Context, b *batch) error {
	body := b.body()
	err := l.client.do(ctx, http.MethodPost, batchPath, body, nil)
	unknown := unknownResources(err)
	if len(unknown) == 0 {
		return err
	}
	for _, id := range unknown {
		if err := l.resource(ctx, &resourceLine{ID: id}); err != nil {
			return err
		}
	}
	return l.client.do(ctx, http.MethodPost, batchPath, body, nil)
}

// unknownResources gives the resources that a batch was refused for.
func unknownResources(err error) []string {
	var answer *answerError
	if !errors.As(err, &answer) || answer.status != http.StatusBadRequest {
		return nil
	}
	var d struct {
		Cause  string
		Detail []struct {
			ID string `json:"original_resource_id"`
		}
	}
	if json.Unmarshal(answer.object, &d) != nil || d.Cause != "Unknown resources" {
		return nil
	}
	var ids []string
	for _, r := range d.Detail {
		ids = append(ids, r.ID)
	}
	return ids
}

// resource creates a resource with its metrics, or what is missing of them.
func (l *loader) resource(ctx context.Context, res *resourceLine) error {
	const path = "/v1/resource/generic"
	body, err := json.Marshal(map[string]any{
		"id": res.ID, "user_id": res.UserID, "project_id": res.ProjectID, "metrics": res.definitions(l.flags.policy, nil),
	})
	if err != nil {
		return err
	}
	err = l.client.do(ctx, http.MethodPost, path, body, nil)
	var answer *answerError
	if errors.As(err, &answer) && answer.status == http.StatusConflict {
		err = l.addMetrics(ctx, path+"/"+url.PathEscape(res.ID), res)
	}
	if err != nil {
		return err
	}
	for name := range res.Metrics {
		l.known[knownKey(res.ID, name)] = true
	}
	return nil
}

// addMetrics creates the metrics that a resource lacks.
func (l *loader) addMetrics(ctx context.Context, path string, res *resourceLine) error {
	if len(res.Metrics) == 0 {
		return nil
	}
	var have struct{ Metrics map[string]string }
	if err := l.client.do(ctx, http.MethodGet, path, nil, &have); err != nil {
		return err
	}
	missing := res.definitions(l.flags.policy, have.Metrics)
	if len(missing) == 0 {
		return nil
	}
	body, err := json.Marshal(missing)
	if err != nil {
		return err
	}
	return l.client.do(ctx, http.MethodPost, path+"/metric", body, nil)
}
