package ceilometer

import (
	"maps"
	"slices"

	"github.com/telemetrydb/tsdb/server/familiar"
)

// sentMetadata is what becomes of the metadata of a posted sample. It is shared and not changed.
type sentMetadata struct {
	made  []byte // as they are stored
	shown []byte // as the answer has them, without its braces
}

func newSentMetadata(flat map[string]string) *sentMetadata {
	m := &sentMetadata{made: nested(flat)}
	for _, key := range slices.Sorted(maps.Keys(flat)) {
		if len(m.shown) > 0 {
			m.shown = append(m.shown, ", "...)
		}
		m.shown = append(appendText(m.shown, key), ": "...)
		m.shown = appendText(m.shown, flat[key])
	}
	return m
}

// cutBody is a list of samples without the metadata that are remembered, which are most of it.
type cutBody struct {
	text     []byte // with null in their place
	metadata []sentText
	h        *handler
}

// sentText is the metadata of an element.
type sentText struct {
	text []byte        // as they came; nil: there are none, or they are no object
	made *sentMetadata // nil: they are not remembered
}

// cut looks at a body. What is no list of objects, or has keys that are odd, is left as it is: then metadata is nil.
func (h *handler) cut(body []byte) *cutBody {
	c := &cutBody{text: body, h: h}
	if len(body) == 0 || body[0] != '[' {
		return c
	}
	var text []byte
	from := 0
	whole := familiar.List(body, func(rest []byte) int {
		var sent sentText
		n := familiar.Object(rest, func(key, rest []byte) int {
			if string(key) != "resource_metadata" || len(rest) == 0 || rest[0] != '{' {
				return familiar.Scalar(rest)
			}
			n := familiar.Value(rest)
			if sent.text != nil { // of keys that come twice all are taken
				return 0
			}
			sent.text = rest[:n]
			if sent.made, _ = h.sent.Get(sent.text); sent.made != nil {
				at := len(body) - len(rest)
				text = append(append(text, body[from:at]...), "null"...)
				from = at + n
			}
			return n
		})
		c.metadata = append(c.metadata, sent)
		return n
	})
	if !whole {
		return &cutBody{text: body, h: h}
	}
	if from > 0 {
		c.text = append(text, body[from:]...)
	}
	return c
}

// of gives the metadata of an element whose decoder found flat, and remembers them.
func (c *cutBody) of(i int, flat map[string]string) *sentMetadata {
	if i >= len(c.metadata) || c.metadata[i].text == nil {
		return newSentMetadata(flat)
	}
	sent := &c.metadata[i]
	if sent.made == nil {
		sent.made = newSentMetadata(flat)
		c.h.sent.Put(sent.text, sent.made, len(sent.made.made)+len(sent.made.shown))
	}
	return sent.made
}
