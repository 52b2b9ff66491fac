package scale

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/bench/cost"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

const (
	looked  = 2000 // metrics whose points are counted after opening
	queried = 500  // metrics that are read
)

// open opens, and looks whether the newest of Cycles is there for some metrics of the first half.
func (p *phase) open() error {
	w := cost.Start()
	db, err := p.openDB()
	if err != nil {
		return err
	}
	p.out["s"], p.out["CPU s"] = w.Wall(), w.Used()
	st := db.Stats()
	p.out["log bytes"], p.out["series"], p.out["metrics"] = float64(st.LogBytes), float64(st.HeadSeries), float64(st.Metrics)
	if p.Cycles > 0 {
		refs, err := p.refs()
		if err != nil {
			return err
		}
		for i := 0; i < len(refs)/2; i += max(len(refs)/looked, 1) {
			got, err := p.measures(db, refs[i], 0, math.MaxInt64)
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

// measures reads the points of a metric from one time to another and returns their number.
func (p *phase) measures(db *engine.DB, ref engine.Ref, from, to int64) (int, error) {
	v, err := db.View(ref)
	if err != nil {
		return 0, err
	}
	defer v.Close()
	points, err := v.Measures(p.ctx, ref, p.width(), []rollup.Method{rollup.Mean}, from, to)
	if err != nil {
		return 0, err
	}
	return len(points[0].Times), nil
}

// query reads metrics spread over the store, each for the first time and again: a day of one half of them and all points of the other. What
// the system has in memory of the files is dropped before.
func (p *phase) query() error {
	refs, err := p.refs()
	if err != nil {
		return err
	}
	if err := cost.Forget(p.store()); err != nil {
		return err
	}
	db, err := p.openDB()
	if err != nil {
		return err
	}
	day := baseNanos + int64(p.Cycles)*int64(p.width())/2
	if err := p.ranges(db, refs, "day", 0, day, day+daySeconds*int64(time.Second)); err != nil {
		return err
	}
	if err := p.ranges(db, refs, "all", 1, 0, math.MaxInt64); err != nil {
		return err
	}
	return db.Close()
}

// ranges times a range of metrics, others for each odd number, and puts median and worst of the first and of the second time.
func (p *phase) ranges(db *engine.DB, refs []engine.Ref, name string, odd int, from, to int64) error {
	var first, again []float64
	for i := range queried {
		ref := refs[mix(uint64(2*i+odd))%uint64(len(refs))]
		for _, times := range []*[]float64{&first, &again} {
			start := time.Now()
			points, err := p.measures(db, ref, from, to)
			if err != nil {
				return err
			}
			*times = append(*times, time.Since(start).Seconds()*1e3)
			p.out[name+" points"] = float64(points)
		}
	}
	for _, times := range [][]float64{first, again} {
		slices.Sort(times)
	}
	p.out[name+" first"], p.out[name+" first p99"] = first[len(first)/2], first[len(first)*99/100]
	p.out[name+" again"], p.out[name+" again p99"] = again[len(again)/2], again[len(again)*99/100]
	return nil
}
