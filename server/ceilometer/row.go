package ceilometer

import (
	"encoding/hex"

	"github.com/telemetrydb/tsdb/engine"
)

// rowForm is how a sample looks.
type rowForm struct {
	name, typ, unit, volume, metadata, id string
}

var (
	oldForm = rowForm{"counter_name", "counter_type", "counter_unit", "counter_volume", "resource_metadata", "message_id"}
	newForm = rowForm{"meter", "type", "unit", "volume", "metadata", "id"}
)

// rowWriter appends samples. What samples of one meter and one context have in common is made once.
type rowWriter struct {
	k      *known
	u      *usage
	form   *rowForm
	ids    engine.SampleIDs
	same   map[sameKey][]byte
	flat   map[engine.ContextRef][]byte // metadata of contexts, as text
	times  clock
	arrive clock

	last sameKey
	text []byte // of last

	err error // of id
}

type sameKey struct {
	ref engine.Ref
	c   engine.ContextRef
}

func (k *known) rows(form *rowForm, u *usage) (*rowWriter, error) {
	ids, err := k.db.SampleIDs()
	return &rowWriter{k: k, u: u, form: form, ids: ids, same: map[sameKey][]byte{}, flat: map[engine.ContextRef][]byte{}}, err
}

// append appends the i-th of the samples, of a metric. ok is false, and nothing is appended, if the metric is gone.
func (w *rowWriter) append(dst []byte, ref engine.Ref, c *engine.Samples, i int) (out []byte, ok bool, err error) {
	if key := (sameKey{ref, c.Contexts[i]}); w.text == nil || key != w.last {
		w.last = key
		if w.text, err = w.common(key); err != nil {
			return dst, false, err
		}
	}
	if len(w.text) == 0 {
		return dst, false, nil
	}
	dst = append(dst, w.text...)
	dst = append(dst, `, "timestamp": `...)
	dst = w.times.appendMillis(dst, floorDiv(c.Times[i], milli))
	dst = append(dst, `, "recorded_at": `...)
	dst = w.arrive.appendMillis(dst, floorDiv(c.Arrivals[i], milli))
	dst = append(append(append(dst, `, "`...), w.form.volume...), `": `...)
	dst = appendFloat(dst, c.Values[i])
	dst = append(append(append(dst, `, "`...), w.form.id...), `": `...)
	name, err := w.k.db.MessageID(ref, c.Times[i], c.Seqs[i])
	if err != nil {
		return dst, false, err
	}
	if name != "" {
		return append(appendText(dst, name), '}'), true, nil
	}
	dst = appendUUID(append(dst, '"'), w.ids.Make(ref, c.Times[i], c.Seqs[i]))
	return append(dst, `"}`...), true, nil
}

// id is what a sample is known by: the message id that was kept of it, or the database's.
func (w *rowWriter) id(ref engine.Ref, c *engine.Samples, i int) string {
	name, err := w.k.db.MessageID(ref, c.Times[i], c.Seqs[i])
	if err == nil && name != "" {
		return name
	}
	if w.err == nil {
		w.err = err
	}
	return string(appendUUID(nil, w.ids.Make(ref, c.Times[i], c.Seqs[i])))
}

// common is the beginning of all samples of a meter and a context: everything that they have in common. Empty: the meter is gone.
func (w *rowWriter) common(key sameKey) ([]byte, error) {
	if text, ok := w.same[key]; ok {
		return text, nil
	}
	m, err := w.k.meter(key.ref)
	if err != nil {
		return nil, err
	}
	if m == nil {
		w.same[key] = []byte{}
		return w.same[key], nil
	}
	c, err := w.k.context(m, key.c)
	if err != nil {
		return nil, err
	}
	b := append([]byte(nil), '{')
	add := func(name string) { b = append(append(append(b, '"'), name...), `": `...) }
	add(w.form.name)
	b = append(appendText(b, m.name), ", "...)
	add(w.form.typ)
	b = append(appendText(b, c.Type), ", "...)
	add(w.form.unit)
	b = append(appendText(b, c.Unit), `, "user_id": `...)
	b = append(appendOptText(b, c.UserID), `, "project_id": `...)
	b = append(appendOptText(b, c.ProjectID), `, "resource_id": `...)
	b = append(appendText(b, m.resource.OriginalID), `, "source": `...)
	b = append(appendText(b, c.Source), ", "...)
	add(w.form.metadata)
	flat, ok := w.flat[key.c]
	if !ok || key.c == 0 {
		flat = appendFlat(nil, decodeMetadata(c.Metadata))
		w.flat[key.c] = flat
	}
	b = append(b, flat...)
	w.same[key] = b
	return b, w.u.keep(len(b) + len(flat))
}

// appendUUID appends a UUID in its canonical form.
func appendUUID(dst []byte, u engine.UUID) []byte {
	dst = append(hex.AppendEncode(dst, u[:4]), '-')
	dst = append(hex.AppendEncode(dst, u[4:6]), '-')
	dst = append(hex.AppendEncode(dst, u[6:8]), '-')
	dst = append(hex.AppendEncode(dst, u[8:10]), '-')
	return hex.AppendEncode(dst, u[10:])
}
