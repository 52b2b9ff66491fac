package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/telemetrydb/tsdb/index"
)

// Context is what Ceilometer's documents repeat from sample to sample: who owns what is measured, where the sample came from, and what
// the resource was like. It is stored once and referred to by a ContextRef.
type Context struct {
	UserID    *string // nil: null
	ProjectID *string
	Source    string
	Unit      string
	Type      string // gauge, delta or cumulative
	Metadata  []byte // a JSON object with its types; nil: an empty one. Stored with keys in order and without blanks
}

// ContextRef is a context's ordinal, never given to another one; 0: no context.
type ContextRef uint32

// maxMetadataBytes bounds the metadata of a context.
const maxMetadataBytes = 1 << 20

// contextHash names a content: the beginning of its SHA-256.
type contextHash [16]byte

// hash returns the name of the context as it is spelled.
func (c *Context) hash() contextHash {
	h := sha256.New()
	var b []byte
	b = appendText(appendText(appendText(appendOptText(appendOptText(b, c.UserID), c.ProjectID), c.Source), c.Unit), c.Type)
	h.Write(b)
	h.Write(c.Metadata)
	var sum [sha256.Size]byte
	return contextHash(h.Sum(sum[:0]))
}

// canonical returns the context in the form it is stored in, and its metadata decoded. ErrInvalid.
func (c *Context) canonical() (Context, map[string]any, error) {
	invalid := func(format string, args ...any) (Context, map[string]any, error) {
		return *c, nil, &Error{Kind: KindContext, Name: c.Source, Err: ErrInvalid, Detail: fmt.Sprintf(format, args...)}
	}
	for _, f := range []struct {
		name string
		text *string
	}{{"user_id", c.UserID}, {"project_id", c.ProjectID}, {"source", &c.Source}, {"unit", &c.Unit}, {"type", &c.Type}} {
		if f.text == nil {
			continue
		}
		if fault := checkText(*f.text, 0, maxContextChars); fault != "" {
			return invalid("%s is %s", f.name, fault)
		}
	}
	if len(c.Metadata) > maxMetadataBytes {
		return invalid("metadata has %d bytes, the most is %d", len(c.Metadata), maxMetadataBytes)
	}
	out := *c
	if len(bytes.TrimSpace(c.Metadata)) == 0 {
		out.Metadata = []byte("{}")
		return out, nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(c.Metadata))
	dec.UseNumber() // 1 and 1.0 stay what they are
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return invalid("metadata is no JSON object: %v", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return invalid("metadata goes on after its end")
	}
	if m == nil {
		m = map[string]any{}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return invalid("metadata: %v", err)
	}
	out.Metadata = bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	return out, m, nil
}

const maxContextChars = 1024

// export returns a copy that is the caller's.
func (c *Context) export() Context {
	out := *c
	if c.UserID != nil {
		user := *c.UserID
		out.UserID = &user
	}
	if c.ProjectID != nil {
		project := *c.ProjectID
		out.ProjectID = &project
	}
	out.Metadata = bytes.Clone(c.Metadata)
	return out
}

func (c *Context) bytes() int64 { return int64(len(c.Metadata) + 200) }

// Records: see catalogue_record.go.

func appendContext(dst []byte, c *Context) []byte {
	at := len(dst)
	dst = appendOptText(appendOptText(beginRecord(dst), c.UserID), c.ProjectID)
	dst = appendText(appendText(appendText(dst, c.Source), c.Unit), c.Type)
	return endRecord(appendText(dst, string(c.Metadata)), at)
}

func decodeContext(rec []byte) (*Context, error) {
	r := openRecord(rec)
	c := &Context{UserID: r.optText(new(string), "user"), ProjectID: r.optText(new(string), "project"),
		Source: r.text("source"), Unit: r.text("unit"), Type: r.text("type")}
	c.Metadata = []byte(r.text("metadata"))
	return c, r.close()
}

func decodeLastContext(rec []byte) (uint32, error) {
	r := openRecord(rec)
	last := r.ordinal("contexts")
	return last, r.close()
}

// Fields of contexts in the index; metadata has a field for each path, after contextMetadata.
const (
	fieldUserID     = "user_id"
	fieldProjectID  = "project_id"
	fieldSource     = "source"
	fieldUnitName   = "unit"
	fieldCounter    = "type"
	contextMetadata = "metadata."
)

// maxIndexedText is how much of a text of the metadata the index holds.
const maxIndexedText = 512

func cutIndexed(s string) string { return s[:min(len(s), maxIndexedText)] }

// eachField calls fn with what the index has of a context. A path comes once for each element of a list.
func (c *Context) eachField(metadata map[string]any, fn func(field string, v index.Value)) {
	fn(fieldUserID, optValue(c.UserID))
	fn(fieldProjectID, optValue(c.ProjectID))
	fn(fieldSource, textValue(c.Source))
	fn(fieldUnitName, textValue(c.Unit))
	fn(fieldCounter, textValue(c.Type))
	eachScalar(contextMetadata, metadata, fn)
}

// eachScalar walks metadata; keys of levels are joined by dots, as they are in a filter's path.
func eachScalar(prefix string, level map[string]any, fn func(field string, v index.Value)) {
	for key, val := range level {
		field := cutIndexed(prefix + key)
		switch x := val.(type) {
		case map[string]any:
			eachScalar(prefix+key+".", x, fn)
		case []any:
			for _, e := range x {
				if v := MetadataValue(e); v.Kind != index.Null {
					fn(field, v)
				}
			}
		default:
			if v := MetadataValue(x); v.Kind != index.Null {
				fn(field, v)
			}
		}
	}
}

// MetadataValue returns what FindContexts compares a scalar of metadata with: a bool, a json.Number or float64, or a string, of which
// the first 512 bytes count. Everything else is Null.
func MetadataValue(x any) index.Value {
	switch x := x.(type) {
	case bool:
		v := index.Value{Kind: index.Bool}
		if x {
			v.Num = 1
		}
		return v
	case json.Number:
		f, err := x.Float64()
		if err != nil { // beyond all float64: both ends of the range are as good as the number
			return textValue(cutIndexed(x.String()))
		}
		return index.Value{Kind: index.Number, Num: f}
	case float64:
		return index.Value{Kind: index.Number, Num: x}
	case string:
		return textValue(cutIndexed(x))
	}
	return index.Value{}
}

func contextHashKey(h contextHash) []byte { return append([]byte{keyContextHash}, h[:]...) }

// contextUseKey says that a metric has, or had, samples of a context.
func contextUseKey(dst []byte, c ContextRef, ref Ref) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, keyContextUse), uint32(c))
	return binary.BigEndian.AppendUint32(dst, uint32(ref))
}
