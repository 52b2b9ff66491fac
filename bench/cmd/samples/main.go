// Command samples writes workload A through the engine as Ceilometer's samples: with contexts whose metadata have the size of nova's and change
// now and then, arrival times, and every sample kept. It prints bytes and CPU a sample and how long questions take.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/bench/ceilometer"
	"github.com/telemetrydb/tsdb/bench/cost"
	"github.com/telemetrydb/tsdb/bench/workload"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

var (
	dir    = flag.String("dir", ".work/samples", "where the databases go")
	plain  = flag.Bool("plain", false, "without contexts and arrivals")
	many   = flag.Int("many", 10_000, "metrics of the merge over many")
	change = flag.Int("change", 600, "seconds between changes of a resource's metadata")
)

func main() {
	flag.Parse()
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	if err := seed(ctx); err != nil {
		return err
	}
	return merge(ctx)
}

func open(name string) (*engine.DB, string, error) {
	path := filepath.Join(*dir, name)
	if err := os.RemoveAll(path); err != nil {
		return nil, path, err
	}
	if err := os.MkdirAll(*dir, 0o755); err != nil {
		return nil, path, err
	}
	db, err := engine.Open(path, &engine.Options{Sync: engine.SyncInterval})
	return db, path, err
}

func policy(widths ...time.Duration) engine.ArchivePolicy {
	p := engine.ArchivePolicy{Name: "p", Raw: engine.RawForever, KeepAll: !*plain,
		Methods: []rollup.Method{rollup.Mean, rollup.Min, rollup.Max, rollup.Sum, rollup.Count, rollup.Std}}
	for _, w := range widths {
		p.Definition = append(p.Definition, engine.Granularity{Width: w})
	}
	return p
}

// seed writes workload A.
func seed(ctx context.Context) error {
	db, path, err := open("seed")
	if err != nil {
		return err
	}
	w := workload.A(0)
	refs := make([][]engine.Ref, len(w.Resources))
	var meter engine.Ref
	err = db.Update(ctx, func(tx *engine.Tx) error {
		if err := tx.CreateArchivePolicy(policy(time.Minute, time.Hour)); err != nil {
			return err
		}
		for i, r := range w.Resources {
			for _, m := range r.Metrics {
				made, err := tx.CreateMetric(engine.Metric{Name: &m.Name, Policy: "p"})
				if err != nil {
					return err
				}
				refs[i] = append(refs[i], made.Ref)
				if m.Name == "cpu_util" && meter == 0 {
					meter = made.Ref
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var b engine.Batch
	r := rand.New(rand.NewPCG(1, 1))
	n := 0
	watch := cost.Start()
	for row := range w.Rows(w.Ticks) {
		var c engine.ContextRef
		arrival := int64(0)
		if !*plain {
			project, user := w.Resources[row.Resource].ProjectID, w.Resources[row.Resource].UserID
			state := (int(row.Unix-workload.Start) + 137*row.Resource) / *change
			cs, err := db.InternContexts(ctx, []engine.Context{{UserID: &user, ProjectID: &project, Source: "openstack", Unit: "%", Type: "gauge",
				Metadata: ceilometer.Metadata(row.Resource, state)}})
			if err != nil {
				return err
			}
			c, arrival = cs[0], row.Unix*1e9+150e6+r.Int64N(40e6)
		}
		for i, v := range row.Values {
			b.AddSample(refs[row.Resource][i], row.Unix*1e9, v, c, arrival)
			n++
		}
		if b.Len() >= 70 {
			if _, err := db.Append(ctx, &b); err != nil {
				return err
			}
			b.Reset()
		}
	}
	if _, err := db.Append(ctx, &b); err != nil {
		return err
	}
	fmt.Printf("ingest: %d samples, %.2f us of CPU each, %.1f s\n", n, watch.Used()*1e6/float64(n), watch.Wall())
	if err := newest(ctx, db, meter, "in the head"); err != nil {
		return err
	}
	if err := db.Compact(ctx); err != nil {
		return err
	}
	if err := newest(ctx, db, meter, "at rest"); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	size := cost.TreeBytes(path)
	fmt.Printf("at rest: %d bytes, %.2f a sample\n", size, float64(size)/float64(n))
	return nil
}

func newest(ctx context.Context, db *engine.DB, m engine.Ref, where string) error {
	const limit = 9127
	var took []time.Duration
	for range 41 {
		began := time.Now()
		v, err := db.View(m)
		if err != nil {
			return err
		}
		n, last := 0, engine.ContextRef(0)
		r := v.Samples(ctx, m, 0, 1<<62, engine.SampleQuery{Limit: limit})
		for r.Next() {
			c := r.Columns()
			n += len(c.Times)
			for _, x := range c.Contexts {
				if x != last && x != 0 {
					if _, err := db.SharedContext(x); err != nil {
						return err
					}
					last = x
				}
			}
		}
		v.Close()
		if r.Err() != nil || n != limit {
			return fmt.Errorf("newest: %d samples, %v", n, r.Err())
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	fmt.Printf("newest %d samples of a meter with contexts, %s: median %v, worst %v\n", limit, where, took[len(took)/2], took[len(took)-1])
	return nil
}

// merge asks for the newest samples of many metrics.
func merge(ctx context.Context) error {
	db, _, err := open("many")
	if err != nil {
		return err
	}
	var refs []engine.Ref
	err = db.Update(ctx, func(tx *engine.Tx) error {
		if err := tx.CreateArchivePolicy(policy(5*time.Minute, time.Hour)); err != nil {
			return err
		}
		for range *many {
			m, err := tx.CreateMetric(engine.Metric{Policy: "p"})
			if err != nil {
				return err
			}
			refs = append(refs, m.Ref)
		}
		return nil
	})
	if err != nil {
		return err
	}
	cs, err := db.InternContexts(ctx, []engine.Context{{Source: "openstack", Metadata: ceilometer.Metadata(1, 1)}})
	if err != nil {
		return err
	}
	var b engine.Batch
	for tick := range int64(300) {
		b.Reset()
		for i, m := range refs {
			t := workload.Start*1e9 + tick*60e9 + int64(i)*5e6
			b.AddSample(m, t, float64(tick), cs[0], t+2e8)
		}
		if _, err := db.Append(ctx, &b); err != nil {
			return err
		}
	}
	for _, where := range []string{"in the head", "at rest"} {
		for _, limit := range []int{100, 10_000} {
			var took []time.Duration
			for range 11 {
				began := time.Now()
				v, err := db.View(refs...)
				if err != nil {
					return err
				}
				n := 0
				r := v.MergeSamples(ctx, 0, 1<<62, engine.SampleQuery{Limit: limit})
				for r.Next() {
					n += len(r.Columns().Times)
				}
				v.Close()
				if r.Err() != nil || n != limit {
					return fmt.Errorf("merge: %d samples, %v", n, r.Err())
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			fmt.Printf("newest %d samples of all %d metrics, %s: median %v, worst %v\n", limit, *many, where, took[len(took)/2], took[len(took)-1])
		}
		if err := db.Compact(ctx); err != nil {
			return err
		}
	}
	began := time.Now()
	if _, _, err := db.OldestSample(ctx); err != nil {
		return err
	}
	fmt.Printf("oldest sample, first call: %v\n", time.Since(began))
	return db.Close()
}
