package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// phase is what a process does to one store.
type phase struct {
	Name               string // of the phase
	Dir                string
	Metrics, Resources int
	From, Cycles       int // cycles to append: From, From+1 …
	MemoryMiB          int64
	Raw, Compact, Lazy bool // keep raw samples; bring the store to rest at the end; SyncInterval
	Profile            bool // write a CPU profile beside the store

	out map[string]float64
	ctx context.Context
}

const (
	updateResources = 200  // in one Update
	batchSamples    = 1000 // in one Append
)

func (p *phase) run() error {
	p.out, p.ctx = map[string]float64{}, context.Background()
	phases := map[string]func() error{
		"create": p.create, "ingest": p.ingest, "open": p.open, "query": p.query, "search": p.search,
	}
	run := phases[p.Name]
	if run == nil {
		return fmt.Errorf("no phase %q", p.Name)
	}
	if err := run(); err != nil {
		return err
	}
	p.out["peak MiB"] = peakMiB()
	return nil
}

func (p *phase) openDB() (*engine.DB, error) {
	o := &engine.Options{MemoryBytes: p.MemoryMiB << 20}
	if p.Lazy {
		o.Sync = engine.SyncInterval
	}
	return engine.Open(filepath.Join(p.Dir, "db"), o)
}

// create makes the catalogue, and a file of the metrics' refs beside the store.
func (p *phase) create() error {
	db, err := p.openDB()
	if err != nil {
		return err
	}
	w := startWatch()
	err = db.Update(p.ctx, func(tx *engine.Tx) error {
		return errors.Join(tx.CreateArchivePolicy(policy(p.Raw)), tx.CreateResourceType(instance()))
	})
	var refs []byte
	for i := 0; i < p.Resources && err == nil; i += updateResources {
		err = db.Update(p.ctx, func(tx *engine.Tx) (err error) {
			for j := i; j < min(i+updateResources, p.Resources) && err == nil; j++ {
				refs, err = p.createResource(tx, refs, j)
			}
			return err
		})
	}
	if err != nil {
		return err
	}
	p.out["s"], p.out["CPU s"] = w.wall(), w.used()
	p.out["written"] = float64(db.Stats().WrittenBytes)
	if err := db.Close(); err != nil {
		return err
	}
	p.out["bytes"] = treeBytes(filepath.Join(p.Dir, "db"))
	return os.WriteFile(filepath.Join(p.Dir, "refs"), refs, 0o644)
}

func (p *phase) createResource(tx *engine.Tx, refs []byte, i int) ([]byte, error) {
	r := resource(i, p.Resources)
	if err := tx.CreateResource(r); err != nil {
		return refs, err
	}
	unit := "B"
	for k := range p.Metrics / p.Resources {
		m, err := tx.CreateMetric(engine.Metric{Name: &kindNames[k], Unit: &unit, Creator: r.Creator, Policy: policyName, Resource: &r.ID})
		if err != nil {
			return refs, err
		}
		refs = binary.LittleEndian.AppendUint32(refs, uint32(m.Ref))
	}
	return refs, nil
}

func (p *phase) refs() ([]engine.Ref, error) {
	b, err := os.ReadFile(filepath.Join(p.Dir, "refs"))
	if err != nil {
		return nil, err
	}
	refs := make([]engine.Ref, len(b)/4)
	for i := range refs {
		refs[i] = engine.Ref(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return refs, nil
}

// ingest appends cycles and says on standard error after each hundredth of the samples how many are acknowledged: who kills
// it goes by that.
func (p *phase) ingest() error {
	refs, err := p.refs()
	if err != nil {
		return err
	}
	db, err := p.openDB()
	if err != nil {
		return err
	}
	w, atStart, acked := startWatch(), writtenByProcess(), 0
	var cycles []float64
	var b engine.Batch
	for c := p.From; c < p.From+p.Cycles; c++ {
		cw := startWatch()
		for i := 0; i < len(refs); i += batchSamples {
			b.Reset()
			for m := i; m < min(i+batchSamples, len(refs)); m++ {
				t, v := sample(m, len(refs), c)
				b.Add(refs[m], t, v)
			}
			res, err := db.Append(p.ctx, &b)
			if err != nil {
				return err
			}
			if res.Accepted != b.Len() {
				return fmt.Errorf("cycle %d: %d of %d samples accepted", c, res.Accepted, b.Len())
			}
			if acked += b.Len(); acked%max(p.Cycles*len(refs)/100/batchSamples*batchSamples, batchSamples) == 0 {
				st := db.Stats()
				p.most("log bytes", float64(st.LogBytes))
				p.most("head bytes", float64(st.HeadBytes))
				fmt.Fprintln(os.Stderr, "acknowledged", acked, "log", st.LogBytes, "head", st.HeadBytes, "series", st.HeadSeries, "seals", st.Seals)
			}
		}
		cycles = append(cycles, cw.used()/float64(len(refs))*1e6)
	}
	million := float64(acked) / 1e6
	p.out["samples"] = float64(acked)
	p.out["wall/M"], p.out["CPU/M appending"] = w.wall()/million, w.used()/million
	p.out["CPU/M first"], p.out["CPU/M last half"] = cycles[0], mean(cycles[len(cycles)/2:])
	p.out["peak MiB appending"] = peakMiB()
	return p.finish(db, w, atStart, million)
}

func (p *phase) most(name string, v float64) { p.out[name] = max(p.out[name], v) }

// finish closes the store, at rest if that is asked for, and takes what the whole phase cost.
func (p *phase) finish(db *engine.DB, w stopwatch, atStart, million float64) error {
	st := db.Stats()
	p.out["seals"], p.out["written appending"] = float64(st.Seals), float64(st.WrittenBytes)
	if p.Compact {
		if err := db.Compact(p.ctx); err != nil {
			return err
		}
		st = db.Stats()
		p.out["blocks"], p.out["written"] = float64(st.Blocks), float64(st.WrittenBytes)
	}
	cw := startWatch()
	if err := db.Close(); err != nil {
		return err
	}
	p.out["close s"] = cw.wall()
	p.out["CPU/M"] = w.used() / million
	p.out["wchar"] = writtenByProcess() - atStart
	p.out["bytes"] = treeBytes(filepath.Join(p.Dir, "db"))
	return nil
}

// open opens, and looks whether the newest of Cycles is there for some metrics of the first half.
func (p *phase) open() error {
	w := startWatch()
	db, err := p.openDB()
	if err != nil {
		return err
	}
	p.out["s"], p.out["CPU s"] = w.wall(), w.used()
	st := db.Stats()
	p.out["log bytes"], p.out["series"], p.out["metrics"] = float64(st.LogBytes), float64(st.HeadSeries), float64(st.Metrics)
	if p.Cycles > 0 {
		refs, err := p.refs()
		if err != nil {
			return err
		}
		for i := 0; i < len(refs)/2; i += max(len(refs)/2000, 1) {
			got, err := p.measures(db, refs[i])
			if err != nil {
				return err
			}
			if got != p.Cycles {
				return fmt.Errorf("metric %d has %d points of %d acknowledged", i, got, p.Cycles)
			}
		}
	}
	return db.Close()
}

// measures reads all points of a metric and returns their number.
func (p *phase) measures(db *engine.DB, ref engine.Ref) (int, error) {
	v, err := db.View(ref)
	if err != nil {
		return 0, err
	}
	defer v.Close()
	points, err := v.Measures(p.ctx, ref, width, []rollup.Method{rollup.Mean}, 0, math.MaxInt64)
	if err != nil {
		return 0, err
	}
	return len(points[0].Times), nil
}

// query reads all points of metrics spread over the store, each for the first time and again.
func (p *phase) query() error {
	refs, err := p.refs()
	if err != nil {
		return err
	}
	db, err := p.openDB()
	if err != nil {
		return err
	}
	var first, warm []float64
	points := 0
	for i := range 500 {
		ref := refs[mix(uint64(i))%uint64(len(refs))]
		for _, times := range []*[]float64{&first, &warm} {
			start := time.Now()
			if points, err = p.measures(db, ref); err != nil {
				return err
			}
			*times = append(*times, time.Since(start).Seconds()*1e3)
		}
	}
	p.out["points"], p.out["first ms"], p.out["warm ms"] = float64(points), median(first), median(warm)
	p.out["first p99 ms"] = slices.Sorted(slices.Values(first))[len(first)*99/100]
	return db.Close()
}
