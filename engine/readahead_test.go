package engine

import (
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// slowTables reads tables as a disk does, and counts what is asked for ahead.
type slowTables struct {
	vfs.FS
	asked *atomic.Int64
}

func (s slowTables) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	f, err := s.FS.Open(name, o...)
	if err != nil || !isTable(name) {
		return f, err
	}
	return slowTable{f, s.asked}, nil
}

type slowTable struct {
	vfs.File
	asked *atomic.Int64
}

func (f slowTable) ReadAt(p []byte, off int64) (int, error) {
	time.Sleep(2 * slowRead)
	return f.File.ReadAt(p, off)
}

func (f slowTable) Prefetch(_, n int64) error {
	if n == aheadBytes {
		f.asked.Add(1)
	}
	return nil
}

// TestReadAhead reads ranges over many partitions from a slow disk: what is brought ahead changes no answer, a view may go before what it
// began has ended, and so may the database.
func TestReadAhead(t *testing.T) {
	for _, c := range []struct {
		name string
		raw  time.Duration
		step int64 // of samples; groups of one sample are derived
	}{
		{"derived", RawForever, 60e9},
		{"columns", RawForever, 20e9},
		{"no raw samples", 0, 20e9},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked atomic.Int64
			fs := vfs.NewMem()
			open := func(fs vfs.FS) *DB {
				t.Helper()
				db, err := Open("db", &Options{FS: fs, MemoryBytes: 8 << 20})
				if err != nil {
					t.Fatal(err)
				}
				return db
			}
			db := open(fs)
			refs, start := fillPartitions(t, db, c.raw, c.step)
			type answer struct {
				ts     []int64
				vs     []float64
				points []Points
			}
			ask := func(db *DB, ref Ref, from, to int64) (a answer) {
				t.Helper()
				v, err := db.View(ref)
				if err != nil {
					t.Fatal(err)
				}
				defer v.Close()
				if a.points, err = v.Measures(t.Context(), ref, time.Minute, []rollup.Method{rollup.Mean}, from, to); err != nil {
					t.Fatal(err)
				}
				if a.ts, a.vs, err = v.Raw(t.Context(), ref, from, to, nil, nil); err != nil {
					t.Fatal(err)
				}
				return a
			}
			sp := span(int64(time.Minute))
			ranges := [][2]int64{{0, math.MaxInt64}, {start, start + 1}, {start + sp/2, start + 2*sp}, {start + sp - 1, start + sp + 1}, {start + 3*sp, start + 40*sp}}
			var want []answer
			for _, r := range ranges {
				want = append(want, ask(db, refs[1], r[0], r[1]))
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = open(slowTables{fs, &asked})
			for i, r := range ranges {
				got := ask(db, refs[1], r[0], r[1])
				same := func(a, b Points) bool { return slices.Equal(a.Times, b.Times) && slices.Equal(a.Values, b.Values) }
				if !slices.Equal(got.ts, want[i].ts) || !slices.Equal(got.vs, want[i].vs) || !slices.EqualFunc(got.points, want[i].points, same) {
					t.Fatalf("range %d: %d samples and %d points, want %d and %d", i, len(got.ts), len(got.points[0].Times), len(want[i].ts), len(want[i].points[0].Times))
				}
			}
			if asked.Load() == 0 {
				t.Fatal("nothing was asked for ahead")
			}
			ask(db, refs[2], 0, math.MaxInt64)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if n := db.ops.ahead.Load(); n != 0 {
				t.Fatalf("%d still read ahead", n)
			}
		})
	}
}

// fillPartitions makes metrics with samples in twelve partitions and brings them to rest.
func fillPartitions(t *testing.T, db *DB, raw time.Duration, step int64) (refs []Ref, start int64) {
	t.Helper()
	p := ArchivePolicy{Name: "p", Raw: raw, Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}}
	err := db.Update(t.Context(), func(tx *Tx) error {
		if err := tx.CreateArchivePolicy(p); err != nil {
			return err
		}
		for range 4 {
			m, err := tx.CreateMetric(Metric{Policy: "p"})
			if err != nil {
				return err
			}
			refs = append(refs, m.Ref)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sp := span(int64(time.Minute))
	start = 3000 * sp
	for part := range int64(12) {
		var b Batch
		for _, ref := range refs {
			for i := range int64(400) {
				b.Add(ref, start+part*sp+i*step, math.Sqrt(float64(part*1000+i)*float64(ref))) // 8 bytes each
			}
		}
		if _, err := db.Append(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	return refs, start
}
