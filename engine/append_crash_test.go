package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/telemetrydb/tsdb/rollup"
)

// crowd is some goroutines that append large batches to the same series. The value of a sample is its number, which no other has.
type crowd struct {
	t       *testing.T
	o       *Options
	db      *DB
	metrics []Metric
	next    atomic.Int64 // samples made

	mu    sync.Mutex
	sent  map[int64]*crowdBatch // by the number of its first sample
	acked []*crowdBatch         // a prefix was acknowledged before a moment
}

type crowdBatch struct {
	first int64
	rows  []row
}

const (
	crowdStart = 1_700_000_000e9
	crowdStep  = 2e6 // ns from one sample to the next
)

// crowdPolicies have windows that no goroutine falls behind.
func crowdPolicies() []ArchivePolicy {
	policies := twinPolicies()
	for i := range policies {
		policies[i].Raw = RawForever
		policies[i].Definition = days(time.Second, 30*time.Second)
		if !policies[i].KeepAll {
			policies[i].BackWindow = 4
		}
	}
	return policies
}

func newCrowd(t *testing.T, o *Options, metrics int) *crowd {
	c := &crowd{t: t, o: o, sent: map[int64]*crowdBatch{}}
	var err error
	if c.db, err = Open("db", o); err != nil {
		t.Fatal(err)
	}
	policies := crowdPolicies()
	err = c.db.Update(context.Background(), func(tx *Tx) error {
		for _, p := range policies {
			if err := tx.CreateArchivePolicy(p); err != nil {
				return err
			}
		}
		for i := range metrics {
			m, err := tx.CreateMetric(Metric{Policy: policies[i%len(policies)].Name})
			if err != nil {
				return err
			}
			c.metrics = append(c.metrics, m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// append sends a batch.
func (c *crowd) append(r *rand.Rand) error {
	var b Batch
	n := int64(1 + r.IntN(800))
	first := c.next.Add(n) - n
	for i := first; i < first+n; i++ {
		at, arrival := crowdStart+i*crowdStep, int64(0)
		if r.IntN(5) == 0 {
			arrival = at + r.Int64N(5e9)
		}
		b.AddSample(c.metrics[r.IntN(len(c.metrics))].Ref, at, float64(i), 0, arrival)
	}
	b.WantSeqs = r.IntN(3) == 0
	made := &crowdBatch{first, b.rows}
	c.mu.Lock()
	c.sent[first] = made
	c.mu.Unlock()
	res, err := c.db.Append(context.Background(), &b)
	if err != nil {
		return err
	}
	if res.Late == 0 { // else it may be whole or in part
		c.mu.Lock()
		c.acked = append(c.acked, made)
		c.mu.Unlock()
	}
	return nil
}

// stir seals, packs, drops and trims.
func (c *crowd) stir(r *rand.Rand) error {
	switch op := r.IntN(20); {
	case op < 12:
		err := c.db.seal(c.metrics[r.IntN(len(c.metrics))].Ref, sealMode(r.IntN(int(sealWhole)+1)))
		return err
	case op < 14:
		c.db.packAll()
	case op < 16:
		c.db.bg.relieving.Lock()
		defer c.db.bg.relieving.Unlock()
		c.db.evict()
	case op < 17:
		return c.db.checkpoint(sealLong)
	case op < 18:
		_, err := c.db.p.AsyncFlush()
		return err
	default:
		c.db.log.mu.Lock()
		c.db.log.freed += trimNoteBytes // as if there had been more
		c.db.log.mu.Unlock()
		return c.db.trimLog()
	}
	return nil
}

// verify looks in a database for what was acknowledged, once each, and for nothing that was not sent.
func (c *crowd) verify(db *DB, acked []*crowdBatch) {
	found := map[int64]row{}
	for _, m := range c.metrics {
		v, err := db.View(m.Ref)
		if err != nil {
			c.t.Errorf("view: %v", err)
			return
		}
		ts, vs, err := v.Raw(context.Background(), m.Ref, 0, math.MaxInt64, nil, nil)
		if err != nil {
			c.t.Errorf("raw: %v", err)
		}
		ps, err := v.Measures(context.Background(), m.Ref, time.Second, []rollup.Method{rollup.Count}, 0, math.MaxInt64)
		if err != nil {
			c.t.Errorf("measures: %v", err)
		}
		v.Close()
		count := 0.0
		for _, p := range ps {
			for _, x := range p.Values {
				count += x
			}
		}
		if count != float64(len(ts)) {
			c.t.Errorf("metric %d of policy %s: %d samples, %v in aggregates", m.Ref, m.Policy, len(ts), count)
		}
		for i := range ts {
			n := int64(vs[i])
			if was, ok := found[n]; ok {
				c.t.Errorf("sample %d is there twice: in metrics %d and %d", n, was.ref, m.Ref)
			}
			found[n] = row{ref: m.Ref, t: ts[i], value: vs[i]}
		}
	}
	lost := 0
	for _, b := range acked {
		for i, want := range b.rows {
			if got := found[b.first+int64(i)]; got.ref != want.ref || got.t != want.t || got.value != want.value {
				lost++
				if lost < 5 {
					c.t.Errorf("acknowledged: %+v, found: %+v", want, got)
				}
			}
		}
	}
	if lost > 0 {
		c.t.Errorf("%d acknowledged samples of %d batches are lost", lost, len(acked))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.sent {
		n := 0
		for i := range b.rows {
			if _, ok := found[b.first+int64(i)]; ok {
				n++
			}
			delete(found, b.first+int64(i))
		}
		if n != 0 && n != len(b.rows) {
			c.t.Errorf("%d of %d samples of a batch are there", n, len(b.rows))
		}
	}
	if len(found) > 0 {
		c.t.Errorf("%d samples that nobody sent", len(found))
	}
}

// crash verifies what a power loss now would leave, and may go on with another one during the recovery from it.
func (c *crowd) crash(mem *vfs.MemFS, r *rand.Rand) *vfs.MemFS {
	c.mu.Lock()
	acked := c.acked[:len(c.acked):len(c.acked)]
	c.mu.Unlock()
	left := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
	for range 1 + r.IntN(2) {
		o := *c.o
		o.FS = left
		db, err := Open("db", &o)
		if err != nil {
			c.t.Errorf("open after a crash: %v", err)
			return left
		}
		c.verify(db, acked)
		again := left.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
		if err := db.Close(); err != nil {
			c.t.Errorf("close after a crash: %v", err)
		}
		left = again
	}
	return left
}

// TestCrowdCrash takes what a power loss would leave at random moments while several goroutines append to the same series, others seal, pack
// and drop these and trim the log, and looks for what was acknowledged; when all is quiet, recovery comes to what was in memory.
func TestCrowdCrash(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	crashes := 0
	for enough := time.Now().Add(patience); time.Now().Before(enough); {
		mem := vfs.NewCrashableMem()
		c := newCrowd(t, &Options{FS: mem, MemoryBytes: 8 << 20, Sync: SyncAlways}, 8+r.IntN(120))
		var stop atomic.Bool
		var wg sync.WaitGroup
		for i := range 3 + 2 {
			own := rand.New(rand.NewPCG(seed, r.Uint64()))
			wg.Go(func() {
				do := c.append
				if i >= 3 {
					do = c.stir
				}
				for !stop.Load() && c.next.Load() < 60_000 {
					if err := do(own); err != nil {
						t.Error(err)
						return
					}
					if i >= 3 {
						time.Sleep(time.Duration(own.IntN(300)) * time.Microsecond)
					}
				}
			})
		}
		for range 4 {
			time.Sleep(time.Duration(r.IntN(20_000)) * time.Microsecond)
			c.crash(mem, r)
			crashes++
		}
		stop.Store(true)
		wg.Wait()
		c.same(mem, r)
		if err := c.db.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d crashes", crashes)
}

// same holds what recovery makes of the log to what is in memory.
func (c *crowd) same(mem *vfs.MemFS, r *rand.Rand) {
	o := *c.o
	o.FS = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
	db, err := Open("db", &o)
	if err != nil {
		c.t.Error(err)
		return
	}
	for _, m := range c.metrics {
		want, err := allOf(context.Background(), c.db, m)
		got, gerr := allOf(context.Background(), db, m)
		if err = errors.Join(err, gerr); err != nil || !reflect.DeepEqual(got, want) {
			c.t.Errorf("metric %d of policy %s (%v): recovery came to\n%s\nwant\n%s", m.Ref, m.Policy, err, fmt.Sprint(got...), fmt.Sprint(want...))
			break
		}
	}
	if err := db.Close(); err != nil {
		c.t.Error(err)
	}
	if _, err := Check("db", &o, func(f Finding) { c.t.Errorf("check: %x: %v", f.Key, f.Err) }); err != nil {
		c.t.Errorf("check: %v", err)
	}
}
