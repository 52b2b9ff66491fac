package events

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/engine"
)

// writer writes JSON and sends it in pieces. Until the first is sent, an error can still be the answer.
type writer struct {
	w     http.ResponseWriter
	buf   []byte
	first bool
	sent  bool
	err   error
}

// pieceBytes is how much is collected before it is sent.
const pieceBytes = 64 << 10

func (w *writer) begin() { w.buf = make([]byte, 0, 4<<10) }

func (w *writer) open(c byte) { w.buf, w.first = append(w.buf, c), true }

// next begins an element of a list.
func (w *writer) next() {
	if !w.first {
		w.buf = append(w.buf, ", "...)
	}
	w.first = false
	if len(w.buf) >= pieceBytes {
		w.send()
	}
}

func (w *writer) close(c byte) { w.buf = append(w.buf, c) }

func (w *writer) send() {
	if !w.sent {
		w.w.Header().Set("Content-Type", "application/json")
		w.sent = true
	}
	if w.err == nil {
		_, w.err = w.w.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// end sends the rest.
func (w *writer) end() error {
	if !w.sent {
		w.w.Header().Set("Content-Length", strconv.Itoa(len(w.buf)))
	}
	w.send()
	return w.err
}

// text appends a JSON string.
func (w *writer) text(s string) {
	b, err := json.Marshal(s)
	if err != nil { // no text fails
		b = []byte(`""`)
	}
	w.buf = append(w.buf, b...)
}

func (w *writer) key(name string) { w.buf = append(append(append(w.buf, '"'), name...), `": `...) }

func (w *writer) event(e *engine.Event) {
	w.buf = append(w.buf, '{')
	w.key("message_id")
	w.text(e.MessageID)
	w.buf = append(w.buf, ", "...)
	w.key("event_type")
	w.text(e.Type)
	w.buf = append(w.buf, ", "...)
	w.key("generated")
	w.text(isoTime(e.Generated))
	w.buf = append(w.buf, ", "...)
	w.key("traits")
	w.buf = append(w.buf, '[')
	for i := range e.Traits {
		if i > 0 {
			w.buf = append(w.buf, ", "...)
		}
		w.trait(&e.Traits[i])
	}
	w.buf = append(w.buf, "], "...)
	w.key("raw")
	if e.Raw == nil {
		w.buf = append(w.buf, "{}"...)
	} else {
		w.buf = append(w.buf, e.Raw...)
	}
	w.buf = append(w.buf, '}')
}

// description appends a trait without its value.
func (w *writer) description(t *engine.Trait) {
	w.buf = append(w.buf, '{')
	w.named(t)
	w.buf = append(w.buf, '}')
}

func (w *writer) named(t *engine.Trait) {
	w.key("name")
	w.text(t.Name)
	w.buf = append(w.buf, ", "...)
	w.key("type")
	w.text(t.Kind.String())
}

func (w *writer) trait(t *engine.Trait) {
	w.buf = append(w.buf, '{')
	w.named(t)
	w.buf = append(w.buf, ", "...)
	w.key("value")
	w.text(valueText(t))
	w.buf = append(w.buf, '}')
}

// valueText writes a trait's value as Python's str does.
func valueText(t *engine.Trait) string {
	switch t.Kind {
	case engine.TraitText:
		return t.Text
	case engine.TraitInt:
		return strconv.FormatInt(t.Int, 10)
	case engine.TraitFloat:
		return floatText(t.Float)
	case engine.TraitTime:
		return isoTime(t.Int)
	}
	return "None"
}

// floatText is repr of a finite float: the shortest digits, with a point or an exponent, the latter from 1e16 up and below 1e-4.
func floatText(f float64) string {
	if abs := max(f, -f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	for i := range len(s) {
		if s[i] == '.' {
			return s
		}
	}
	return s + ".0"
}

// isoTime writes a time in UTC without saying so, with six digits of a fraction or none.
func isoTime(nanos int64) string {
	t := time.Unix(0, nanos).UTC()
	if t.Nanosecond()/1000 == 0 {
		return t.Format("2006-01-02T15:04:05")
	}
	return t.Format("2006-01-02T15:04:05.000000")
}
