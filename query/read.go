package query

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// reading is the stored points of one metric that a request needs. However often they are used, they are decoded once.
type reading struct {
	metric  engine.Ref
	methods []rollup.Method
	widths  []time.Duration
	from    int64
	to      int64
	points  [][]engine.Points // by width, then method
}

// readings collects what a request needs and reads it.
type readings struct {
	list  []*reading
	index map[engine.Ref]*reading
	pairs int // metrics and methods
}

// add asks for points of a metric: from <= time < to, from first rounded down to the width.
func (r *readings) add(m engine.Ref, method rollup.Method, width time.Duration, from, to int64) *reading {
	if r.index == nil {
		r.index = make(map[engine.Ref]*reading)
	}
	rd := r.index[m]
	if rd == nil {
		rd = &reading{metric: m, from: from, to: to}
		r.index[m] = rd
		r.list = append(r.list, rd)
	}
	rd.from, rd.to = min(rd.from, from), max(rd.to, to)
	if !slices.Contains(rd.methods, method) {
		rd.methods = append(rd.methods, method)
		r.pairs++
	}
	if !slices.Contains(rd.widths, width) {
		rd.widths = append(rd.widths, width)
	}
	return rd
}

// of gives what was read, cut to a range within the one asked for.
func (rd *reading) of(method rollup.Method, width time.Duration, from, to int64) engine.Points {
	p := rd.points[slices.Index(rd.widths, width)][slices.Index(rd.methods, method)]
	if from <= rd.from && to >= rd.to {
		return p
	}
	lo, _ := slices.BinarySearch(p.Times, rollup.Floor(max(from, 0), int64(width)))
	hi, _ := slices.BinarySearch(p.Times, to)
	hi = max(lo, hi)
	return engine.Points{Times: p.Times[lo:hi], Values: p.Values[lo:hi]}
}

// readChunk is how many metrics a goroutine takes at a time.
const readChunk = 8

// read reads everything from one state of the database, on all processors.
func (r *readings) read(ctx context.Context, db *engine.DB, b *budget) error {
	if err := b.series(r.pairs); err != nil || len(r.list) == 0 {
		return err
	}
	refs := make([]engine.Ref, len(r.list))
	for i, rd := range r.list {
		refs[i] = rd.metric
	}
	view, err := db.View(refs...)
	if err != nil {
		return err
	}
	views := []*engine.View{view}
	defer func() {
		for _, v := range views {
			v.Close()
		}
	}()
	for len(views) < min(runtime.GOMAXPROCS(0), (len(r.list)+readChunk-1)/readChunk) {
		v, err := view.Clone()
		if err != nil {
			return err
		}
		views = append(views, v)
	}
	var next atomic.Int64
	return parallel(ctx, len(views), func(ctx context.Context, worker int) error {
		for {
			at := int(next.Add(readChunk)) - readChunk
			if at >= len(r.list) {
				return nil
			}
			for _, rd := range r.list[at:min(at+readChunk, len(r.list))] {
				if err := rd.read(ctx, views[worker], b); err != nil {
					return err
				}
			}
		}
	})
}

func (rd *reading) read(ctx context.Context, v *engine.View, b *budget) error {
	rd.points = make([][]engine.Points, len(rd.widths))
	for i, w := range rd.widths {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if rd.points[i], err = v.Measures(ctx, rd.metric, w, rd.methods, rd.from, rd.to); err != nil {
			return err
		}
		n := 0
		for _, p := range rd.points[i] {
			n += len(p.Times)
		}
		if err := b.read(n); err != nil {
			return err
		}
	}
	return nil
}

// parallel runs fn in so many goroutines and waits for them. The first error ends the context of the others and is returned.
func parallel(ctx context.Context, workers int, fn func(ctx context.Context, worker int) error) error {
	if workers <= 1 {
		return fn(ctx, 0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			if err := fn(ctx, w); err != nil {
				cancel(err) // only the first one counts
			}
		})
	}
	wg.Wait()
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}
