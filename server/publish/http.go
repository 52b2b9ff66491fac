package publish

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

const protocolHTTP = "http"

// Publish takes what the http publisher posts: a sample, an event, or a list of them mixed, as JSON, in object form or message form. The
// path and the arguments do not matter. It answers 202 with how many were stored and how many were refused of which reason; 400 if
// nothing could be read or everything was refused; 503, with Retry-After, if there is no room now. It never redirects.
func (d *Doors) Publish() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Pattern = "publish"
		if r.Method != http.MethodPost && r.Method != http.MethodPut {
			w.Header().Set("Allow", "POST")
			writeError(w, &statusError{http.StatusMethodNotAllowed, "The method is not allowed for the requested URL."})
			return
		}
		in, err := d.publish(r)
		if err != nil {
			writeError(w, err)
			return
		}
		if in.stored == 0 && in.last != nil {
			writeError(w, in.last)
			return
		}
		writeAccepted(w, in)
	})
}

// writeAccepted says what became of a request.
func writeAccepted(w http.ResponseWriter, in *intake) {
	if len(in.refused) > 0 {
		writeJSON(w, http.StatusAccepted, map[string]any{"stored": in.stored, "refused": in.refused})
		return
	}
	w.Header().Set("Content-Type", "application/json") // the same, as nearly all answers are
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(append(strconv.AppendInt([]byte(`{"refused":{},"stored":`), int64(in.stored), 10), '}'))
}

func (d *Doors) publish(r *http.Request) (*intake, error) {
	in := d.intake(protocolHTTP, peerText(r.RemoteAddr), d.o.Secret)
	in.decoder.objects = true
	b, err := d.receive(r)
	if err != nil {
		return in, err
	}
	defer b.Release()
	if err := in.body(&b); err != nil {
		return in, err
	}
	return in, in.store(r.Context())
}

// body takes the elements of a body, by what came before as far as that goes.
func (in *intake) body(b *received) error {
	g, ok := in.glance(b.bytes)
	if !ok {
		return in.parse(b, in.elements)
	}
	defer g.release()
	if len(g.unknown) == 0 {
		g.take(nil)
		return nil
	}
	b.bytes = g.rest()
	return in.parse(b, g.take)
}

// parse calls take with the elements of a body, which it may change.
func (in *intake) parse(b *received, take func(list []*fastjson.Value)) error {
	v, done, err := in.d.parseJSON(b)
	if err != nil {
		return err
	}
	defer done()
	list := []*fastjson.Value{v}
	if v.Type() == fastjson.TypeArray {
		list, _ = v.Array()
	}
	take(list)
	return nil
}

func (in *intake) elements(list []*fastjson.Value) {
	for _, e := range list {
		in.element(e)
	}
}

// Values take more memory than the text that they are read from.
const (
	maxValues  = 1 << 21 // of a body
	valueBytes = 128
)

// errJSON is the answer to a body that is not JSON.
var errJSON = &statusError{http.StatusBadRequest, "Request is not in valid JSON format"}

// parseJSON reads a body, which it may change. done has to be called when the value is not needed any more.
func (d *Doors) parseJSON(b *received) (v *fastjson.Value, done func(), err error) {
	values := valuesIn(b.bytes)
	if values > maxValues {
		return nil, nil, &statusError{http.StatusRequestEntityTooLarge, "The request body has too many values"}
	}
	if err := b.Grow(int64(values) * valueBytes); err != nil {
		return nil, nil, err
	}
	p := d.parsers.Get()
	if v, err = p.ParseBytes(sayInf(b.bytes)); err != nil {
		return nil, nil, errJSON
	}
	const keep = 1 << 20
	return v, func() {
		if len(b.bytes) < keep {
			d.parsers.Put(p)
		}
	}, nil
}

// valuesIn is no less than how many values a body has.
func valuesIn(body []byte) int {
	n := 1 // each is behind one of these
	for _, c := range []byte{',', '[', '{'} {
		n += bytes.Count(body, []byte{c})
	}
	return n
}

// sayInf replaces the word Infinity, which Python writes for numbers that JSON has not, by Inf and blanks, which the parser takes.
func sayInf(b []byte) []byte {
	const word = "Infinity"
	if !bytes.Contains(b, []byte(word)) {
		return b
	}
	text := false
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '"':
			text = !text
		case text && b[i] == '\\':
			i++
		case !text && b[i] == 'I' && strings.HasPrefix(string(b[i:min(len(b), i+len(word))]), word):
			copy(b[i:], "Inf     ")
		}
	}
	return b
}

// writeError answers as Ceilometer's API does.
func writeError(w http.ResponseWriter, err error) {
	status, text, retry := answerTo(err)
	code := "Client"
	if status >= http.StatusInternalServerError {
		code = "Server"
	}
	if retry {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, status, map[string]any{"error_message": map[string]any{"faultcode": code, "faultstring": text, "debuginfo": nil}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b, status = []byte("{}"), http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
