package crash

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// The crowd is more metrics than the memory budget has room for, with a sample a minute each, so that series are sealed, dropped
// from memory and read again all the time.

const (
	crowdWorker = -1
	crowdStart  = 1_700_000_000 * second / minute * minute
)

func crowdID(i int) engine.UUID { return engine.UUIDv5(engine.UUID{}, fmt.Sprint("crowd ", i)) }

func runCrowd(db *engine.DB, j *journal, st *crowdState, stop *atomic.Bool) error {
	refs := make([][]engine.Ref, crowdChunks)
	for n := 0; !stop.Load(); n++ {
		c := n % crowdChunks
		t := crowdTick{Chunk: c, Tick: st.Ticks[c]}
		j.write(&entry{Worker: crowdWorker, N: n, Op: &op{Crowd: &t}})
		if err := t.run(db, &refs[c]); err != nil {
			return fmt.Errorf("crowd %+v: %w", t, err)
		}
		st.Ticks[c]++
		j.write(&entry{Worker: crowdWorker, N: n, Ack: true})
	}
	return nil
}

func (t crowdTick) run(db *engine.DB, refs *[]engine.Ref) error {
	if t.Tick == 0 {
		return db.Update(context.Background(), t.create)
	}
	if *refs == nil {
		for i := range crowdChunk {
			m, err := db.Metric(crowdID(t.Chunk*crowdChunk + i))
			if err != nil {
				return err
			}
			*refs = append(*refs, m.Ref)
		}
	}
	var b engine.Batch
	for _, ref := range *refs {
		b.Add(ref, crowdStart+int64(t.Tick)*minute, float64(t.Tick))
	}
	_, err := db.Append(context.Background(), &b)
	return err
}

func (t crowdTick) create(tx *engine.Tx) error {
	if _, err := tx.ArchivePolicy("crowd"); err != nil {
		p := policySpec{Name: "crowd", Widths: []int64{5 * minute}, Points: []int64{0}, Methods: []string{"sum", "count"}, Raw: -1}
		if err := p.put(tx); err != nil {
			return err
		}
	}
	for i := range crowdChunk {
		if _, err := tx.CreateMetric(engine.Metric{ID: crowdID(t.Chunk*crowdChunk + i), Policy: "crowd"}); err != nil {
			return err
		}
	}
	return nil
}

// checkCrowd looks for every tick of every member; a chunk that was being written to at the end may have one more, all
// members alike.
func (c *campaign) checkCrowd(t *testing.T, db *engine.DB, pending *crowdTick) {
	for chunk, done := range c.st.Crowd.Ticks {
		under := pending != nil && pending.Chunk == chunk
		if done == 0 {
			_, err := db.Metric(crowdID(chunk * crowdChunk))
			if err == nil && under {
				c.st.Crowd.Ticks[chunk] = 1
				done, under = 1, false
			} else if err == nil {
				t.Errorf("chunk %d exists though nobody made it", chunk)
			}
		}
		if done == 0 {
			continue
		}
		var refs []engine.Ref
		for i := range crowdChunk {
			m, err := db.Metric(crowdID(chunk*crowdChunk + i))
			if err != nil {
				t.Fatalf("member %d of chunk %d: %v", i, chunk, err)
			}
			refs = append(refs, m.Ref)
		}
		c.checkChunk(t, db, chunk, refs, under)
	}
}

func (c *campaign) checkChunk(t *testing.T, db *engine.DB, chunk int, refs []engine.Ref, under bool) {
	v, err := db.View(refs...)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	ticks := -1
	err = v.EachRaw(context.Background(), 0, math.MaxInt64, func(m engine.Ref, ts []int64, vs []float64) error {
		if ticks < 0 {
			if ticks = len(ts); under && ticks == c.st.Crowd.Ticks[chunk] {
				c.st.Crowd.Ticks[chunk]++
			}
			if ticks != c.st.Crowd.Ticks[chunk]-1 {
				return fmt.Errorf("%d ticks, want %d (one more may be: %v)", ticks, c.st.Crowd.Ticks[chunk]-1, under)
			}
		}
		if len(ts) != ticks {
			return fmt.Errorf("metric %d has %d ticks, others %d", m, len(ts), ticks)
		}
		for i := range ts {
			if ts[i] != crowdStart+int64(i+1)*minute || vs[i] != float64(i+1) {
				return fmt.Errorf("metric %d: tick %d is %v at %d", m, i+1, vs[i], ts[i])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("crowd, chunk %d: %v", chunk, err)
	}
	for k := 0; k < len(refs); k += 97 {
		ps, err := v.Measures(context.Background(), refs[k], 5*time.Minute, []rollup.Method{rollup.Sum, rollup.Count}, 0, math.MaxInt64)
		if err != nil {
			t.Fatal(err)
		}
		sum, n := 0.0, 0.0
		for i := range ps[0].Values {
			sum += ps[0].Values[i]
			n += ps[1].Values[i]
		}
		if n != float64(ticks) || sum != float64(ticks*(ticks+1)/2) {
			t.Fatalf("crowd, chunk %d: sum %v of %v samples in aggregates, want %d samples", chunk, sum, n, ticks)
		}
	}
}
