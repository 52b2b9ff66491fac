package fuzz

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/fuzz/model"
)

// annotated is a sample with what is known beside.
type annotated struct {
	time    int64
	value   float64
	context engine.ContextRef
	arrival int64
}

// allSamples is what a metric should have whose policy keeps all samples: they are in a plain list, and aggregates are computed afresh.
type allSamples struct {
	model   model.Policy
	rates   bool
	list    []annotated // by time, then arrival
	pending []annotated // of the batch
}

func (a *allSamples) newest() int64 {
	if len(a.list) == 0 {
		return -1
	}
	return a.list[len(a.list)-1].time
}

// take takes the pending batch and returns how many were late: of a group some of whose samples are not kept, and not of the newest
// coarsest group.
func (a *allSamples) take(p engine.ArchivePolicy) (late int) {
	from := a.takenFrom(p)
	for _, s := range a.pending {
		if s.time < from {
			late++
			continue
		}
		i, _ := slices.BinarySearchFunc(a.list, s.time+1, func(x annotated, t int64) int { return cmp.Compare(x.time, t) })
		a.list = slices.Insert(a.list, i, s)
	}
	a.pending = nil
	return late
}

func (a *allSamples) takenFrom(p engine.ArchivePolicy) int64 {
	newest := a.newest()
	if newest < 0 || p.Raw == engine.RawForever {
		return math.MinInt64
	}
	shown := newest - int64(p.Raw) + 1
	from, coarsest := shown, int64(0)
	for _, g := range p.Definition {
		w := int64(g.Width)
		coarsest = max(coarsest, w)
		for t := (shown/w - 1) * w; ; t += w {
			if t >= shown {
				from = max(from, t)
				break
			}
		}
	}
	return min(from, newest/coarsest*coarsest)
}

// afresh is the model of all samples in one batch, of each instant the last.
func (a *allSamples) afresh() *model.Metric {
	m := model.New(a.model)
	var pts []model.Point
	for _, s := range a.list {
		if n := len(pts); n > 0 && pts[n-1].Time == s.time {
			pts[n-1].Value = s.value
		} else {
			pts = append(pts, model.Point{Time: s.time, Value: s.value})
		}
	}
	if len(pts) > 0 {
		m.Append(pts)
	}
	return m
}

// sound tells whether aggregates are a matter of the samples alone. A rate's first difference may lack the sample before, where
// retention has taken that before a late one came.
func (a *allSamples) sound(p engine.ArchivePolicy, _ engine.Granularity) bool {
	return !a.rates || p.Raw == engine.RawForever
}

// annotation draws a context, or none, and an arrival for a sample.
func (h *harness) annotation(t int64) (engine.ContextRef, int64) {
	if h.r.IntN(3) == 0 {
		return 0, 0
	}
	if len(h.contexts) < 5 || h.r.IntN(200) == 0 {
		refs, err := h.db.InternContexts(context.Background(), []engine.Context{{Source: "s", Metadata: []byte(`{"n":` + string(rune('0'+h.r.IntN(10))) + `}`)}})
		if err != nil {
			h.fatal("contexts: %v", err)
		}
		h.contexts = append(h.contexts, refs...)
	}
	c := h.contexts[h.r.IntN(len(h.contexts))]
	return c, max(1, t-1e9+h.r.Int64N(5e9))
}

// compareAllSamples reads a metric's samples in both orders.
func (h *harness) compareAllSamples(v *engine.View, m *modelled, from, to int64) {
	low := from
	if newest := m.all.newest(); m.policy.Raw != engine.RawForever && newest >= 0 {
		low = max(low, min(newest-int64(m.policy.Raw)+1, m.all.floor(m.policy)))
	}
	var want []annotated
	for _, s := range m.all.list {
		if s.time >= low && s.time < to {
			want = append(want, s)
		}
	}
	for _, oldest := range []bool{true, false} {
		if !oldest {
			slices.Reverse(want)
		}
		q := engine.SampleQuery{OldestFirst: oldest}
		expect := want
		if h.r.IntN(2) == 0 {
			q.Limit = 1 + h.r.IntN(50)
			expect = want[:min(q.Limit, len(want))]
		}
		n := 0
		r := v.Samples(context.Background(), m.Ref, from, to, q)
		for r.Next() {
			c := r.Columns()
			for i, t := range c.Times {
				if n >= len(expect) {
					h.fatal("%s: more than %d samples (%+v)", *m.Name, n, q)
				}
				w := expect[n]
				if w.arrival == 0 {
					w.arrival = t
				}
				same := math.Float64bits(w.value) == math.Float64bits(c.Values[i]) || w.value != w.value && c.Values[i] != c.Values[i]
				if t != w.time || !same || c.Contexts[i] != w.context || c.Arrivals[i] != w.arrival/1e6*1e6 {
					h.fatal("%s: sample %d (%+v): got %d %v %d %d, want %+v", *m.Name, n, q, t, c.Values[i], c.Contexts[i], c.Arrivals[i], w)
				}
				n++
			}
		}
		if r.Err() != nil || n != len(expect) {
			h.fatal("%s: %d samples, want %d (%+v): %v", *m.Name, n, len(expect), q, r.Err())
		}
	}
}

// floor is the edge of the back window.
func (a *allSamples) floor(p engine.ArchivePolicy) int64 {
	coarsest := int64(0)
	for _, g := range p.Definition {
		coarsest = max(coarsest, int64(g.Width))
	}
	periods := int64(p.BackWindow)
	if a.rates {
		periods++
	}
	return a.newest()/coarsest*coarsest - periods*coarsest
}
