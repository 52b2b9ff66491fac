package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// script is a fixed sequence of operations against a database on a file system with faults. It knows what was acknowledged.
type script struct {
	t       *testing.T
	fs      vfs.FS
	db      *DB
	a, b    Ref // metrics: a keeps raw samples for ever, b none
	created bool
	batches []batchState
	errs    []error
	changes int
	reads   bool // errors of reads are expected
}

type batchState uint8

const (
	unknown batchState = iota // not acknowledged: whole or not there
	acked
)

const (
	scriptMinutes = 10 // of samples a batch, one a second
	scriptStart   = 1_700_000_040e9
)

var scriptIDs = [2]UUID{UUIDv5(UUID{}, "a"), UUIDv5(UUID{}, "b")}

func (s *script) options() *Options { return &Options{FS: s.fs, MemoryBytes: 8 << 20} }

// failed keeps an error of a step; true if there was one.
func (s *script) failed(what string, err error) bool {
	if err != nil {
		s.errs = append(s.errs, fmt.Errorf("%s: %w", what, err))
	}
	return err != nil
}

func (s *script) open() bool {
	var err error
	within(s.t, "Open", func() { s.db, err = Open("db", s.options()) })
	return !s.failed("open", err)
}

func (s *script) close() {
	var err error
	within(s.t, "Close", func() { err = s.db.Close() })
	s.failed("close", err)
	s.db = nil
}

// create makes policies and metrics unless they are there.
func (s *script) create() {
	within(s.t, "Update", func() {
		err := s.db.Update(context.Background(), func(tx *Tx) error {
			for i, name := range []string{"a", "b", "a again", "b again"} {
				p := ArchivePolicy{Name: name, Definition: days(time.Minute), Methods: []rollup.Method{rollup.Count, rollup.Sum}}
				if i%2 == 0 {
					p.Raw = RawForever
				}
				if i >= 2 {
					p.Definition, p.Methods = days(10*time.Second, time.Minute, time.Hour), append(p.Methods, rollup.Max)
				}
				if err := tx.CreateArchivePolicy(p); err != nil && !errors.Is(err, ErrExists) {
					return err
				}
				if i >= 2 {
					continue
				}
				if _, err := tx.CreateMetric(Metric{ID: scriptIDs[i], Policy: name}); err != nil && !errors.Is(err, ErrExists) {
					return err
				}
			}
			return nil
		})
		s.created = !s.failed("create", err)
	})
	if s.created {
		s.find()
	}
}

// change gives the metrics their other policies.
func (s *script) change() {
	if !s.created {
		return
	}
	s.changes++
	within(s.t, "Update", func() {
		s.failed("change", s.db.Update(context.Background(), func(tx *Tx) error {
			for i, name := range []string{"a", "b"} {
				if s.changes%2 == 1 {
					name += " again"
				}
				if err := tx.ChangePolicy(scriptIDs[i], name); err != nil {
					return err
				}
			}
			return nil
		}))
	})
}

func (s *script) find() {
	for i, ref := range []*Ref{&s.a, &s.b} {
		m, err := s.db.Metric(scriptIDs[i])
		if err != nil && !s.reads {
			s.t.Errorf("metric %d: %v", i, err)
		}
		if s.failed("metric", err) {
			continue
		}
		*ref = m.Ref
	}
}

// append sends the next n batches.
func (s *script) append(n int) {
	if !s.created {
		return
	}
	var b Batch
	for range n {
		i := len(s.batches)
		s.batches = append(s.batches, unknown)
		b.Reset()
		for k := range int64(scriptMinutes * 60) {
			at := scriptStart + (int64(i)*scriptMinutes*60+k)*1e9
			b.Add(s.a, at, float64(k))
			b.Add(s.b, at, float64(k))
		}
		within(s.t, "Append", func() {
			if _, err := s.db.Append(context.Background(), &b); !s.failed("append", err) {
				s.batches[i] = acked
			}
		})
	}
}

// read looks for every batch: what was acknowledged is there, and the rest whole or not.
func (s *script) read() {
	s.t.Helper()
	if s.db == nil || s.a == 0 || s.b == 0 {
		return
	}
	within(s.t, "View", func() {
		v, err := s.db.View(s.a, s.b)
		if s.failed("view", err) {
			s.surprise(err)
			return
		}
		defer v.Close()
		for i := range s.batches {
			if err := s.readBatch(v, i); s.failed("read", err) {
				s.surprise(err)
			}
		}
	})
}

func (s *script) surprise(err error) {
	if !s.reads {
		s.t.Errorf("reading: %v", err)
	}
}

func (s *script) readBatch(v *View, i int) error {
	const n = scriptMinutes * 60
	from := int64(scriptStart) + int64(i)*n*1e9
	ts, vs, err := v.Raw(context.Background(), s.a, from, from+n*1e9, nil, nil)
	if err != nil {
		return err
	}
	if len(ts) != n && !(len(ts) == 0 && s.batches[i] == unknown) {
		s.t.Errorf("batch %d: %d raw samples, want %d", i, len(ts), n)
	}
	for k := range ts {
		if ts[k] != from+int64(k)*1e9 || vs[k] != float64(k) {
			s.t.Fatalf("batch %d: sample %d is %v at %d", i, k, vs[k], ts[k])
		}
	}
	for _, ref := range []Ref{s.a, s.b} {
		ps, err := v.Measures(context.Background(), ref, time.Minute, []rollup.Method{rollup.Count, rollup.Sum}, from, from+n*1e9)
		if err != nil {
			return err
		}
		count, sum := 0.0, 0.0
		for k := range ps[0].Values {
			count += ps[0].Values[k]
			sum += ps[1].Values[k]
		}
		if count != float64(len(ts)) || len(ts) > 0 && sum != n*(n-1)/2 {
			s.t.Fatalf("batch %d: aggregates of %v samples with sum %v, raw samples are %d", i, count, sum, len(ts))
		}
	}
	return nil
}

func (s *script) compact() {
	within(s.t, "Compact", func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.failed("compact", s.db.Compact(ctx))
	})
}

// run goes through the script. What an error leaves impossible is left out.
func (s *script) run() {
	for round := range 2 {
		if !s.open() {
			continue
		}
		if s.a == 0 {
			s.create()
		}
		s.read()
		s.append(6)
		s.read()
		s.compact()
		s.read()
		s.change()
		s.append(4 + round)
		s.read()
		if round == 1 {
			s.change()
			s.read()
		}
		s.close()
	}
}

// verify opens what the script left on a healthy file system.
func (s *script) verify(fs vfs.FS) {
	h := &script{t: s.t, fs: fs, batches: slices.Clone(s.batches), created: s.created, a: s.a, b: s.b}
	if !h.open() {
		s.t.Fatalf("open on a healthy file system: %v", h.errs)
	}
	h.a, h.b = 0, 0
	if s.created {
		h.find()
	}
	h.read()
	h.create()
	h.append(1)
	h.read()
	h.close()
	if len(h.errs) > 0 {
		s.t.Fatalf("on a healthy file system: %v", h.errs)
	}
	if _, err := Check("db", &Options{FS: fs}, func(f Finding) { s.t.Errorf("check: %x: %v", f.Key, f.Err) }); err != nil {
		s.t.Errorf("check: %v", err)
	}
}
