package growth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/bench/cost"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

const (
	policyName    = "growth"
	projectSize   = 10   // resources of a project: the same answer from a store of any size
	batchRows     = 1000 // of an append
	asked         = 200  // times that a question is asked
	createdAtOnce = 1000
)

// widths of the granularities, the finest first; a policy has the first n.
var widths = []time.Duration{5 * time.Minute, time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour}

// embedded is one store that is measured.
type embedded struct {
	Size
	ctx    context.Context
	dir    string
	db     *engine.DB
	refs   []engine.Ref
	costs  map[string]float64
	random uint64
}

// measureEngine does one size with the engine linked in.
func measureEngine(s Size, dir string) (map[string]float64, error) {
	e := &embedded{Size: s, ctx: context.Background(), dir: dir, costs: map[string]float64{}, random: 1}
	for _, step := range []func() error{e.open, e.create, e.append, e.reopen, e.ask} {
		if err := step(); err != nil {
			return nil, errors.Join(err, e.close())
		}
	}
	if err := e.close(); err != nil {
		return nil, err
	}
	e.costs["peak memory, MiB"] = cost.PeakMiB(os.Getpid())
	return e.costs, nil
}

func (e *embedded) open() (err error) {
	e.db, err = engine.Open(e.dir, &engine.Options{MemoryBytes: int64(e.MemoryMiB) << 20})
	return err
}

func (e *embedded) close() error {
	if e.db == nil {
		return nil
	}
	db := e.db
	e.db = nil
	return db.Close()
}

func (e *embedded) create() error {
	p := engine.ArchivePolicy{Name: policyName, Raw: engine.RawForever, Methods: []rollup.Method{rollup.Mean, rollup.Max}}
	for _, w := range widths[:e.Granularities] {
		p.Definition = append(p.Definition, engine.Granularity{Width: w})
	}
	slices.SortFunc(p.Definition, func(a, b engine.Granularity) int { return int(a.Width - b.Width) })
	if err := e.db.Update(e.ctx, func(tx *engine.Tx) error { return tx.CreateArchivePolicy(p) }); err != nil {
		return err
	}
	e.refs = make([]engine.Ref, e.Metrics)
	w := cost.Start()
	for from := 0; from < e.Resources; from += createdAtOnce {
		err := e.db.Update(e.ctx, func(tx *engine.Tx) error {
			for r := from; r < min(from+createdAtOnce, e.Resources); r++ {
				if err := e.createOne(tx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	e.costs["CPU of making a metric, us"] = w.Used() / float64(e.Metrics) * 1e6
	return nil
}

func resourceID(r int) engine.UUID {
	return engine.UUIDv5(engine.UUID{}, fmt.Sprint("resource ", r))
}

func projectOf(r int) string { return fmt.Sprint("project-", r/projectSize) }

func (e *embedded) createOne(tx *engine.Tx, r int) error {
	id, project := resourceID(r), projectOf(r)
	err := tx.CreateResource(&engine.Resource{ID: id, OriginalID: fmt.Sprint("vm-", r), Type: "generic", ProjectID: &project})
	if err != nil {
		return err
	}
	for i := r; i < e.Metrics; i += e.Resources {
		name := fmt.Sprint("metric-", i/e.Resources)
		m, err := tx.CreateMetric(engine.Metric{Name: &name, Policy: policyName, Resource: &id})
		if err != nil {
			return err
		}
		e.refs[i] = m.Ref
	}
	return nil
}

func (e *embedded) nanos(k int) int64 {
	return (firstSecond + int64(k*e.StepSeconds)) * int64(time.Second)
}

func (e *embedded) append() error {
	var b engine.Batch
	var took []float64
	flush := func() error {
		begin := time.Now()
		_, err := e.db.Append(e.ctx, &b)
		took = append(took, micros(begin))
		b.Reset()
		return err
	}
	w := cost.Start()
	rows := 0
	for k := range e.Samples {
		for i, ref := range e.refs {
			b.Add(ref, e.nanos(k), value(i, k))
			if rows++; rows%batchRows == 0 {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	if err := errors.Join(flush(), e.db.Compact(e.ctx)); err != nil {
		return err
	}
	e.costs["CPU of a sample, us"] = w.Used() / float64(rows) * 1e6
	e.costs["append of 1,000 samples, median, us"] = quantile(took, 0.5)
	e.costs["append of 1,000 samples, p99, us"] = quantile(took, 0.99)
	return nil
}

func (e *embedded) reopen() error {
	if err := e.close(); err != nil {
		return err
	}
	e.costs["disk a sample, B"] = float64(cost.TreeBytes(e.dir)) / float64(e.Metrics*e.Samples)
	e.costs["disk a metric, B"] = float64(cost.TreeBytes(e.dir)) / float64(e.Metrics)
	begin := time.Now()
	if err := e.open(); err != nil {
		return err
	}
	e.costs["opening, ms"] = micros(begin) / 1e3
	return nil
}

func (e *embedded) pick(n int) int {
	e.random = e.random*6364136223846793005 + 1442695040888963407
	return int(e.random >> 33 % uint64(n))
}

func (e *embedded) ask() error {
	for name, f := range map[string]func() error{
		"an hour of a metric, median, us": e.hour, "a metric whole, a 1,000 samples, us": e.whole, "ten resources of a project, median, us": e.project,
	} {
		var took []float64
		for range asked {
			begin := time.Now()
			if err := f(); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			took = append(took, micros(begin))
		}
		e.costs[name] = quantile(took, 0.5)
	}
	e.costs["a metric whole, a 1,000 samples, us"] *= 1000 / float64(e.Samples)
	return nil
}

func (e *embedded) hour() error {
	n := min(3600/e.StepSeconds, e.Samples)
	return e.raw(e.pick(len(e.refs)), e.pick(e.Samples-n+1), n)
}

func (e *embedded) whole() error { return e.raw(e.pick(len(e.refs)), 0, e.Samples) }

// raw reads n samples of metric i from sample k on, and looks at them.
func (e *embedded) raw(i, k, n int) error {
	v, err := e.db.View(e.refs[i])
	if err != nil {
		return err
	}
	defer v.Close()
	times, values, err := v.Raw(e.ctx, e.refs[i], e.nanos(k), e.nanos(k+n), nil, nil)
	if err != nil {
		return err
	}
	if len(times) != n || values[0] != value(i, k) || values[n-1] != value(i, k+n-1) {
		return fmt.Errorf("metric %d has not the %d samples from %d on that were written", i, n, k)
	}
	return nil
}

func (e *embedded) project() error {
	project := projectOf(e.pick(e.Resources))
	f := &index.Filter{Op: index.Eq, Field: "project_id", Value: index.Value{Kind: index.Bytes, Str: project}}
	found := 0
	err := e.db.EachResource(e.ctx, engine.Query{Filter: f}, func(row engine.ResourceRow) error {
		if *row.Resource().ProjectID != project {
			return fmt.Errorf("a resource of another project than %s", project)
		}
		found++
		return nil
	})
	if want := min(projectSize, e.Resources); err == nil && found != want {
		err = fmt.Errorf("%d resources, want %d", found, want)
	}
	return err
}
