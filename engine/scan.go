package engine

import (
	"context"
	"runtime"

	"github.com/cockroachdb/pebble/v2"
)

// scanChunk is how many metrics a worker of EachRaw takes at a time.
const scanChunk = 32

// scanResult holds the samples of a chunk of metrics, one after the other.
type scanResult struct {
	first int // index of the first metric in the view
	ts    []int64
	vs    []float64
	ends  []int // per metric, its end in ts
	err   error
}

// EachRaw calls fn once per metric of the view, in the order of refs given to View, with its raw samples of the range as
// Raw gives them, decoding chunks of metrics in parallel; a few chunks at most are in memory. The slices are valid during
// the call. It stops at the first error, of fn or its own.
func (v *View) EachRaw(ctx context.Context, from, to int64, fn func(m Ref, ts []int64, vs []float64) error) error {
	workers := min(runtime.GOMAXPROCS(0), (len(v.series)+scanChunk-1)/scanChunk)
	if workers <= 1 {
		for i := range v.series {
			err := ctx.Err()
			if err != nil {
				return err
			}
			if v.ts, v.vs, err = v.rawOf(ctx, v.it, &v.series[i], from, to, v.ts[:0], v.vs[:0]); err != nil {
				return err
			}
			if err := fn(v.series[i].ref, v.ts, v.vs); err != nil {
				return err
			}
		}
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Each worker takes every workers-th chunk and hands it over through its own channels, so chunks come in order.
	type lane struct {
		full, free chan *scanResult
		done       chan struct{}
	}
	lanes := make([]lane, workers)
	for w := range lanes {
		l := lane{make(chan *scanResult, 2), make(chan *scanResult, 2), make(chan struct{})}
		l.free <- new(scanResult)
		l.free <- new(scanResult)
		lanes[w] = l
		it, err := v.it.Clone(pebble.CloneOptions{})
		if err != nil {
			close(l.done)
			for _, l := range lanes[:w+1] {
				cancel()
				<-l.done
			}
			return err
		}
		go func() {
			defer close(l.done)
			defer it.Close()
			for first := w * scanChunk; first < len(v.series); first += workers * scanChunk {
				select {
				case <-ctx.Done():
					return
				case r := <-l.free:
					v.scanInto(ctx, it, r, first, from, to)
					l.full <- r // never blocks: two results, two places
				}
			}
		}()
	}
	defer func() {
		cancel()
		for _, l := range lanes {
			<-l.done
		}
	}()
	for chunk := 0; chunk*scanChunk < len(v.series); chunk++ {
		if err := ctx.Err(); err != nil { // also where all results are ready
			return err
		}
		l := lanes[chunk%workers]
		var r *scanResult
		select {
		case <-ctx.Done():
			return ctx.Err()
		case r = <-l.full:
		}
		at := 0
		for i, end := range r.ends {
			if err := fn(v.series[r.first+i].ref, r.ts[at:end], r.vs[at:end]); err != nil {
				return err
			}
			at = end
		}
		if r.err != nil {
			return r.err
		}
		l.free <- r
	}
	return nil
}

// scanInto reads a chunk of metrics.
func (v *View) scanInto(ctx context.Context, it *pebble.Iterator, r *scanResult, first int, from, to int64) {
	r.first, r.ts, r.vs, r.ends, r.err = first, r.ts[:0], r.vs[:0], r.ends[:0], nil
	last := min(first+scanChunk, len(v.series))
	for i := first; i < last && r.err == nil; i++ { // records first: they lie together, and so do blocks
		r.err = v.series[i].ensure(it)
	}
	for i := first; i < last && r.err == nil; i++ {
		if r.ts, r.vs, r.err = v.rawOf(ctx, it, &v.series[i], from, to, r.ts, r.vs); r.err == nil {
			r.ends = append(r.ends, len(r.ts))
		}
	}
}
