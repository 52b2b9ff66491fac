package engine

import (
	"context"
	"runtime"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// scanChunk is how many metrics a worker of EachRaw takes at a time, and scanSamples the number of samples from which on it hands
// over what it has: what is decoded should still be in the processor's cache when it is used.
const (
	scanChunk   = 32
	scanSamples = 16 << 10
)

// scanResult holds the samples of a chunk of metrics, or of a part of it, one after the other.
type scanResult struct {
	first int // index of the first metric in the view
	ts    []int64
	vs    []float64
	ends  []int // per metric, its end in ts
	last  bool  // of its chunk
	err   error
}

var scanResults = sync.Pool{New: func() any { return new(scanResult) }}

// lane hands a worker's results over, in order, and gets them back.
type lane struct {
	full, free chan *scanResult
	done       chan struct{} // closed when the worker has ended
}

// laneResults is how many results a lane has: one is used while the next is filled.
const laneResults = 2

func newLane() lane {
	l := lane{make(chan *scanResult, laneResults), make(chan *scanResult, laneResults), make(chan struct{})}
	for range laneResults {
		l.free <- scanResults.Get().(*scanResult)
	}
	return l
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
	var lanes []lane
	defer func() {
		cancel()
		for _, l := range lanes {
			<-l.done
		}
	}()
	// Each worker takes every workers-th chunk and hands it over through its own lane, so chunks come in order.
	for w := range workers {
		it, err := v.it.Clone(pebble.CloneOptions{})
		if err != nil {
			return err
		}
		l := newLane()
		lanes = append(lanes, l)
		go func() {
			defer close(l.done)
			defer it.Close()
			for first := w * scanChunk; first < len(v.series); first += workers * scanChunk {
				if !v.readChunk(ctx, it, l, first, from, to) {
					return
				}
			}
		}()
	}
	for chunk := 0; chunk*scanChunk < len(v.series); chunk++ {
		if err := v.takeChunk(ctx, lanes[chunk%workers], fn); err != nil {
			return err
		}
	}
	for _, l := range lanes { // what an early end leaves is not worth the care
		for range laneResults {
			scanResults.Put(<-l.free)
		}
	}
	return nil
}

// takeChunk calls fn for the metrics of the chunk that comes next in a lane.
func (v *View) takeChunk(ctx context.Context, l lane, fn func(m Ref, ts []int64, vs []float64) error) error {
	for last := false; !last; {
		if err := ctx.Err(); err != nil { // also where all results are ready
			return err
		}
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
		last = r.last
		l.free <- r // never blocks, nor does full: there are as many places as results
	}
	return nil
}

// readChunk reads a chunk of metrics into the lane's results; false if there is no use in going on.
func (v *View) readChunk(ctx context.Context, it *pebble.Iterator, l lane, first int, from, to int64) bool {
	end := min(first+scanChunk, len(v.series))
	var err error
	for i := first; i < end && err == nil; i++ { // records first: they lie together, and so do blocks
		err = v.series[i].ensure(it)
	}
	for first < end {
		var r *scanResult
		select {
		case <-ctx.Done():
			return false
		case r = <-l.free:
		}
		r.first, r.ts, r.vs, r.ends, r.err = first, r.ts[:0], r.vs[:0], r.ends[:0], err
		for first < end && r.err == nil && len(r.ts) < scanSamples {
			if r.ts, r.vs, r.err = v.rawOf(ctx, it, &v.series[first], from, to, r.ts, r.vs); r.err == nil {
				r.ends = append(r.ends, len(r.ts))
				first++
			}
		}
		r.last = first == end
		l.full <- r
		if r.err != nil {
			return false
		}
	}
	return true
}
