package ceilometer

import (
	"context"

	"github.com/telemetrydb/tsdb/engine"
)

// sampleReader is a reader of samples, of one metric or of several.
type sampleReader interface {
	Next() bool
	Columns() *engine.Samples
	Err() error
}

// source is a part being read.
type source struct {
	r    sampleReader
	ref  engine.Ref // of a part of one metric
	next int        // in the columns
	c    *engine.Samples
}

// scan reads the samples of some parts in one order of time.
type scan struct {
	sources []*source
	views   []*engine.View
	oldest  bool
	u       *usage
}

// scan opens a scan, newest first unless oldest is set. A limit is how many samples of it can be of use; 0: all. Close it.
func (k *known) scan(ctx context.Context, parts []part, times timeRange, oldest bool, limit int, u *usage) (*scan, error) {
	s := &scan{oldest: oldest, u: u}
	for _, p := range parts {
		v, refs, err := k.view(p.refs)
		if err != nil {
			s.close()
			return nil, err
		}
		s.views = append(s.views, v)
		q := engine.SampleQuery{OldestFirst: oldest, Limit: limit, Contexts: p.set}
		if len(refs) == 1 {
			s.sources = append(s.sources, &source{r: v.Samples(ctx, refs[0], times.from, times.to, q), ref: refs[0]})
			continue
		}
		s.sources = append(s.sources, &source{r: v.MergeSamples(ctx, times.from, times.to, q)})
	}
	return s, nil
}

func (s *scan) close() {
	for _, v := range s.views {
		v.Close()
	}
}

// each calls fn with each sample, until it returns false or an error.
func (s *scan) each(fn func(ref engine.Ref, c *engine.Samples, i int) (bool, error)) error {
	for {
		src, err := s.first()
		if src == nil || err != nil {
			return err
		}
		ref, i := src.ref, src.next
		if src.c.Metrics != nil {
			ref = src.c.Metrics[i]
		}
		src.next++
		if more, err := fn(ref, src.c, i); !more || err != nil {
			return err
		}
	}
}

// first gives the source whose next sample comes first; nil: there is none left.
func (s *scan) first() (*source, error) {
	var best *source
	for i := 0; i < len(s.sources); i++ {
		src := s.sources[i]
		if src.c == nil || src.next == len(src.c.Times) {
			if !src.r.Next() {
				if err := src.r.Err(); err != nil {
					return nil, err
				}
				s.sources = append(s.sources[:i], s.sources[i+1:]...)
				i--
				continue
			}
			src.c, src.next = src.r.Columns(), 0
			if err := s.u.read(len(src.c.Times)); err != nil {
				return nil, err
			}
		}
		if best == nil || src.c.Times[src.next] != best.c.Times[best.next] && src.c.Times[src.next] < best.c.Times[best.next] == s.oldest {
			best = src
		}
	}
	return best, nil
}
