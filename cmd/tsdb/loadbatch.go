package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/valyala/fastjson"
)

// textLine is a line with its number, counted from 1.
type textLine struct {
	number int
	text   []byte
}

// batch collects measures by resource and metric, in the form of the server's batches.
type batch struct {
	l         *loader
	lines     []textLine
	samples   int
	first     float64 // time of the first line, seconds
	resources []*resourceLines
	byID      map[string]*resourceLines
}

// resourceLines are the measures of one resource.
type resourceLines struct {
	id      string
	metrics []*metricLines
	byName  map[string]*metricLines
}

// metricLines are the measures of one metric, as the items of a JSON list.
type metricLines struct {
	name string
	list []byte
}

// resourceLine is a line that introduces a resource.
type resourceLine struct {
	ID        string             `json:"id"`
	UserID    *string            `json:"user_id"`
	ProjectID *string            `json:"project_id"`
	Metrics   map[string]*string `json:"metrics"` // units
}

func newBatch(l *loader) *batch { return &batch{l: l, byID: map[string]*resourceLines{}} }

// full tells whether the batch has to be sent before the line v.
func (b *batch) full(v *fastjson.Value, f *loadFlags) bool {
	if len(b.lines) == 0 || !v.Exists("t") {
		return false
	}
	span := v.GetFloat64("t") - b.first
	return len(b.lines) >= f.lines || span >= f.span.Seconds() || -span >= f.span.Seconds()
}

// add adds a line of measures, which is v and text, or returns the resource that the line introduces.
func (b *batch) add(number int, text []byte, v *fastjson.Value) (*resourceLine, error) {
	if !v.Exists("v") {
		var res resourceLine
		if err := json.Unmarshal(text, &res); err != nil {
			return nil, err
		}
		if res.ID == "" {
			return nil, errors.New(`neither measures ("t", "r", "v") nor a resource ("id")`)
		}
		return &res, nil
	}
	id, t, values := v.GetStringBytes("r"), v.Get("t"), v.GetObject("v")
	if len(id) == 0 || t == nil || t.Type() != fastjson.TypeNumber || values == nil {
		return nil, errors.New(`measures need a time "t", a resource "r" and an object "v"`)
	}
	if err := checkNumbers(values); err != nil {
		return nil, err
	}
	if len(b.lines) == 0 {
		b.first = t.GetFloat64()
	}
	b.lines = append(b.lines, textLine{number, bytes.Clone(text)})
	b.samples += values.Len()
	res := b.resource(string(id))
	values.Visit(func(name []byte, value *fastjson.Value) {
		m := res.metric(name)
		if len(m.list) > 0 {
			m.list = append(m.list, ',')
		}
		m.list = append(m.list, `{"timestamp":`...)
		m.list = t.MarshalTo(m.list)
		m.list = append(m.list, `,"value":`...)
		m.list = append(value.MarshalTo(m.list), '}')
	})
	return nil, nil
}

func checkNumbers(values *fastjson.Object) (err error) {
	values.Visit(func(name []byte, value *fastjson.Value) {
		if value.Type() != fastjson.TypeNumber {
			err = fmt.Errorf("value of %q is not a number", name)
		}
	})
	return err
}

func (b *batch) resource(id string) *resourceLines {
	r := b.byID[id]
	if r == nil {
		r = &resourceLines{id: id, byName: map[string]*metricLines{}}
		b.byID[id] = r
		b.resources = append(b.resources, r)
	}
	return r
}

func (r *resourceLines) metric(name []byte) *metricLines {
	m := r.byName[string(name)]
	if m == nil {
		m = &metricLines{name: string(name)}
		r.byName[m.name] = m
		r.metrics = append(r.metrics, m)
	}
	return m
}

// body is the request that stores the batch. Metrics that may have to be created say by which policy.
func (b *batch) body() []byte {
	out := []byte{'{'}
	for i, r := range b.resources {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendString(out, r.id), ':', '{')
		for j, m := range r.metrics {
			if j > 0 {
				out = append(out, ',')
			}
			out = append(appendString(out, m.name), ':')
			named := b.l.flags.policy != "" && !b.l.known[knownKey(r.id, m.name)]
			if named {
				out = append(out, `{"archive_policy_name":`...)
				out = append(appendString(out, b.l.flags.policy), `,"measures":`...)
			}
			out = append(append(append(out, '['), m.list...), ']')
			if named {
				out = append(out, '}')
			}
		}
		out = append(out, '}')
	}
	return append(out, '}')
}

// markKnown remembers that all metrics of the batch exist.
func (b *batch) markKnown() {
	for _, r := range b.resources {
		for _, m := range r.metrics {
			if key := knownKey(r.id, m.name); !b.l.known[key] {
				b.l.known[key] = true
			}
		}
	}
}

func knownKey(resource, metric string) string { return resource + "/" + metric }

func appendString(dst []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		return append(dst, `""`...) // not for strings
	}
	return append(dst, quoted...)
}

// definitions is the metrics member that creates those of names that have no place in have.
func (res *resourceLine) definitions(policy string, have map[string]string) map[string]any {
	defs := map[string]any{}
	names := make([]string, 0, len(res.Metrics))
	for name := range res.Metrics {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if _, ok := have[name]; ok {
			continue
		}
		def := map[string]string{}
		if policy != "" {
			def["archive_policy_name"] = policy
		}
		if unit := res.Metrics[name]; unit != nil {
			def["unit"] = *unit
		}
		defs[name] = def
	}
	return defs
}
