package engine

import (
	"context"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/rollup"
)

// TestMarkComesWithItsSamples takes what power losses leave while batches with a mark, their number, are appended: the mark and the
// samples tell the same.
func TestMarkComesWithItsSamples(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	mem := vfs.NewCrashableMem()
	db, err := Open("db", &Options{FS: mem})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	var m Metric
	err = db.Update(ctx, func(tx *Tx) (err error) {
		err = tx.CreateArchivePolicy(ArchivePolicy{Name: "p", Raw: RawForever, KeepAll: true, Methods: []rollup.Method{rollup.Mean},
			Definition: []Granularity{{Width: time.Minute, Points: 60, Timespan: time.Hour}}})
		if err == nil {
			m, err = tx.CreateMetric(Metric{Policy: "p"})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := db.Mark("copy"); ok || err != nil {
		t.Fatalf("a mark before any: %v, %v", ok, err)
	}
	acknowledged := 0
	stopped := make(chan struct{})
	losses := make(chan *vfs.MemFS, 20)
	go func() {
		defer close(losses)
		for range cap(losses) {
			losses <- mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
			time.Sleep(time.Duration(r.IntN(1000)) * time.Microsecond)
		}
		close(stopped)
	}()
	for running := true; running; {
		select {
		case <-stopped:
			running = false
		default:
			var b Batch
			b.Add(m.Ref, int64(acknowledged), 1)
			b.Add(m.Ref, int64(acknowledged), 2)
			b.SetMark("copy", strconv.Itoa(acknowledged+1))
			if _, err := db.Append(ctx, &b); err != nil {
				t.Fatal(err)
			}
			acknowledged++
		}
	}
	last := 0
	for left := range losses {
		n := markedSamples(t, left, m)
		if n < last {
			t.Errorf("%d batches after a power loss, %d after one before", n, last)
		}
		last = n
	}
	if n := markedSamples(t, mem.CrashClone(vfs.CrashCloneCfg{}), m); n != acknowledged {
		t.Errorf("%d batches of %d acknowledged", n, acknowledged)
	}
}

// markedSamples opens what was left and returns the mark, which has to be half the number of samples.
func markedSamples(t *testing.T, left *vfs.MemFS, m Metric) int {
	t.Helper()
	db, err := Open("db", &Options{FS: left})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	text, _, err := db.Mark("copy")
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.View(m.Ref)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	samples := 0
	rows := v.Samples(context.Background(), m.Ref, 0, math.MaxInt64, SampleQuery{})
	for rows.Next() {
		samples += len(rows.Columns().Times)
	}
	marked, _ := strconv.Atoi(text)
	if rows.Err() != nil || samples != 2*marked {
		t.Errorf("%d samples, mark %q: %v", samples, text, rows.Err())
	}
	return marked
}
