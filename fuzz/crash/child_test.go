package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// childEnv tells the test binary that it is the child: the value is the campaign's directory.
const (
	childEnv   = "TSDB_CRASH_DIR"
	seedEnv    = "TSDB_CRASH_SEED"
	modeEnv    = "TSDB_CRASH_MODE" // write, or open: open and close, over and over
	syncEnv    = "TSDB_CRASH_SYNC"
	journalEnv = "TSDB_CRASH_JOURNAL"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := runChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	databaseDir = "db"
	stateFile   = "state.json"
)

func options(sync bool) *engine.Options {
	o := &engine.Options{MemoryBytes: 8 << 20, Sync: engine.SyncInterval, SyncEvery: 20 * time.Millisecond}
	if sync {
		o.Sync = engine.SyncAlways
	}
	return o
}

// runChild writes until it is killed.
func runChild(dir string) error {
	seed, err := strconv.ParseUint(os.Getenv(seedEnv), 10, 64)
	if err != nil {
		return err
	}
	o := options(os.Getenv(syncEnv) == "always")
	if os.Getenv(modeEnv) == "open" {
		for {
			db, err := engine.Open(filepath.Join(dir, databaseDir), o)
			if err != nil {
				return err
			}
			if err := db.Close(); err != nil {
				return err
			}
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return err
	}
	var st state
	if err := json.Unmarshal(b, &st); err != nil {
		return err
	}
	f, err := os.OpenFile(os.Getenv(journalEnv), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	j := &journal{f: f}
	r := rand.New(rand.NewPCG(seed, 1))
	for {
		if err := writeAWhile(filepath.Join(dir, databaseDir), o, &st, j, r); err != nil {
			return err
		}
	}
}

// writeAWhile opens the database, lets all workers write for a random time, and closes it.
func writeAWhile(dir string, o *engine.Options, st *state, j *journal, r *rand.Rand) error {
	db, err := engine.Open(dir, o)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	var stop atomic.Bool
	time.AfterFunc(time.Duration(20+r.IntN(400))*time.Millisecond, func() { stop.Store(true) })
	errs := make(chan error, len(st.Workers)+1)
	var wg sync.WaitGroup
	for i := range st.Workers {
		w := &worker{db: db, j: j, i: i, st: st.Workers[i], r: rand.New(rand.NewPCG(r.Uint64(), uint64(i)))}
		wg.Go(func() { errs <- w.run(&stop) })
	}
	wg.Go(func() { errs <- runCrowd(db, j, &st.Crowd, &stop) })
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	if err := db.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// worker owns resources, metrics and policies that no other worker touches.
type worker struct {
	db *engine.DB
	j  *journal
	i  int
	st *workerState
	r  *rand.Rand
}

func (w *worker) run(stop *atomic.Bool) error {
	for !stop.Load() {
		var o op
		switch n := w.r.IntN(100); {
		case w.st.N == 0 || len(w.st.Metrics) < 2 || n < 12:
			o.Update = w.update()
		case n < 14 && w.i == 0:
			if err := w.db.Compact(context.Background()); err != nil {
				return fmt.Errorf("compact: %w", err)
			}
			continue
		default:
			o.Append = w.batch()
		}
		w.j.write(&entry{Worker: w.i, N: w.st.N + 1, Op: &o})
		res, err := perform(w.db, w.st, &o, w.i, w.st.N+1)
		if err != nil {
			return fmt.Errorf("worker %d, operation %d: %w", w.i, w.st.N+1, err)
		}
		w.st.apply(&o)
		w.j.write(&entry{Worker: w.i, N: w.st.N, Ack: true, Result: &res})
	}
	return nil
}

func perform(db *engine.DB, st *workerState, o *op, worker, n int) (result, error) {
	if o.Update != nil {
		return result{}, db.Update(context.Background(), func(tx *engine.Tx) error { return o.Update.run(tx, st, worker, n) })
	}
	var b engine.Batch
	for _, p := range o.Append {
		id, err := engine.ParseUUID(p.Metric)
		if err != nil {
			return result{}, err
		}
		m, err := db.Metric(id)
		if err != nil {
			return result{}, err
		}
		for i, t := range p.Times {
			b.Add(m.Ref, t, math.Float64frombits(p.Bits[i]))
		}
	}
	r, err := db.Append(context.Background(), &b)
	return result{r.Accepted, r.Late, r.Duplicate}, err
}

// ledgerID is the resource that says which of a worker's updates was the last.
func ledgerID(worker int) engine.UUID {
	return engine.UUIDv5(engine.UUID{}, fmt.Sprint("ledger of worker ", worker))
}

func (u *update) run(tx *engine.Tx, st *workerState, worker, n int) error {
	ledger := &resourceSpec{ID: ledgerID(worker).String(), Project: "ledgers", Host: fmt.Sprint("w", worker), Rev: float64(n)}
	write := tx.UpdateResource
	if !st.Born {
		write = tx.CreateResource
	}
	if err := write(ledger.resource()); err != nil {
		return err
	}
	for i := range u.Policies {
		if err := u.Policies[i].put(tx); err != nil {
			return err
		}
	}
	for i := range u.CreateResources {
		if err := tx.CreateResource(u.CreateResources[i].resource()); err != nil {
			return err
		}
	}
	for i := range u.ChangeResources {
		if err := tx.UpdateResource(u.ChangeResources[i].resource()); err != nil {
			return err
		}
	}
	for _, m := range u.CreateMetrics {
		id, res := mustParse(m.ID), mustParse(m.Resource)
		if _, err := tx.CreateMetric(engine.Metric{ID: id, Name: &m.Name, Policy: m.Policy, Resource: &res}); err != nil {
			return err
		}
	}
	for _, id := range u.DeleteMetrics {
		if err := tx.DeleteMetric(mustParse(id)); err != nil {
			return err
		}
	}
	for _, id := range u.DeleteResources {
		if err := tx.DeleteResource(mustParse(id)); err != nil {
			return err
		}
	}
	return nil
}

func mustParse(s string) engine.UUID {
	id, err := engine.ParseUUID(s)
	if err != nil {
		panic(err)
	}
	return id
}

func (s *resourceSpec) resource() *engine.Resource {
	return &engine.Resource{ID: mustParse(s.ID), OriginalID: s.ID, Type: "generic", ProjectID: &s.Project, StartedAt: time.Unix(1700000000, 0),
		Attributes: map[string]index.Value{"host": {Kind: index.Bytes, Str: s.Host}, "rev": {Kind: index.Number, Num: s.Rev}}}
}

func (p *policySpec) put(tx *engine.Tx) error {
	e := p.policy()
	if _, err := tx.ArchivePolicy(p.Name); err == nil {
		_, err := tx.UpdateArchivePolicy(p.Name, e.Definition, &e.BackWindow)
		return err
	}
	return tx.CreateArchivePolicy(e)
}

func (p *policySpec) policy() engine.ArchivePolicy {
	e := engine.ArchivePolicy{Name: p.Name, BackWindow: p.BackWindow, Raw: time.Duration(p.Raw)}
	for i, w := range p.Widths {
		e.Definition = append(e.Definition, engine.Granularity{Width: time.Duration(w), Points: p.Points[i], Timespan: time.Duration(w * p.Points[i])})
	}
	for _, name := range p.Methods {
		e.Methods = append(e.Methods, methodOf(name))
	}
	return e
}

func methodOf(name string) rollup.Method {
	m, ok := rollup.ParseMethod(name)
	if !ok {
		panic("no method " + name)
	}
	return m
}
