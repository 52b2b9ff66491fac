package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// TestReplayMany has recovery replay more rows than a chunk has and more series than are in memory at once, of policies whose batches
// are no matter of order alone; every series must come to what it was.
func TestReplayMany(t *testing.T) {
	const metrics, samples = 6000, 12
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	mem := vfs.NewCrashableMem()
	o := &Options{FS: mem, MemoryBytes: 8 << 20, Sync: SyncAlways}
	db, err := Open("db", o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var refs []Ref
	err = db.Update(context.Background(), func(tx *Tx) error {
		p := ArchivePolicy{Definition: days(time.Minute, time.Hour), Raw: RawForever, Methods: []rollup.Method{rollup.Mean}}
		for _, name := range []string{"plain", "rates", "all"} {
			p.Name, p.KeepAll, p.BackWindow = name, name == "all", 1
			p.Methods = []rollup.Method{rollup.Mean}
			if name == "rates" {
				p.Methods = []rollup.Method{rollup.Mean, rollup.Mean.OfRate()}
			}
			if err := tx.CreateArchivePolicy(p); err != nil {
				return err
			}
		}
		for i := range metrics {
			m, err := tx.CreateMetric(Metric{Policy: []string{"plain", "plain", "rates", "all"}[i%4]})
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
	var b Batch
	at := int64(1e18)
	for n := range samples {
		order := r.Perm(metrics)
		for part := range slices.Chunk(order, 500+r.IntN(metrics)) {
			b.Reset()
			for _, i := range part {
				when := at + r.Int64N(60e9)
				if r.IntN(20) == 0 {
					when -= r.Int64N(2 * int64(time.Hour))
				}
				b.AddSample(refs[i], when, float64(r.IntN(100)), 0, when+int64(r.IntN(3))*1e9*int64(i%2))
				if r.IntN(10) == 0 {
					b.Add(refs[i], when+r.Int64N(3)-1, 0.5)
				}
			}
			if _, err := db.Append(context.Background(), &b); err != nil {
				t.Fatal(err)
			}
		}
		at += []int64{20e9, 60e9, 3600e9}[n%3]
	}
	left := mem.CrashClone(vfs.CrashCloneCfg{})
	again, err := Open("db", &Options{FS: left, MemoryBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for i, ref := range refs {
		methods := []rollup.Method{rollup.Mean}
		if i%4 == 2 {
			methods = append(methods, rollup.Mean.OfRate())
		}
		if got, want := everything(t, again, ref, methods), everything(t, db, ref, methods); got != want {
			t.Fatalf("metric %d: after recovery\n%s\nwant\n%s", i, got, want)
		}
	}
	for i := 1; i < len(again.head.queue.items); i++ {
		if q := again.head.queue.items; q[i-1].seq != 0 && q[i-1].seq > q[i].seq {
			t.Fatalf("the queue of dirty series is out of order at %d of %d", i, len(q))
		}
	}
}

// TestReplayShare has rows of series that contain their record forgotten, and only these.
func TestReplayShare(t *testing.T) {
	w := &replayWorker{r: &replayer{has: []uint64{0, 0, 5, 0}, run: 1}}
	b := &replayBlock{}
	for seq := uint64(4); seq <= 6; seq++ {
		from := len(w.rows)
		for _, ref := range []Ref{1, 2, 3, 2 * replayBuckets} { // the last one is not in the table
			w.rows = append(w.rows, row{ref: ref, t: int64(seq)})
		}
		w.share(b, from, seq, uint32(len(b.records)))
		b.records = append(b.records, replayRecord{seq: seq})
	}
	w.order(b)
	var got []string
	for bucket := range replayBuckets {
		from := replayReader{blocks: []*replayBlock{b}, bucket: bucket}
		rows, record := from.read(nil, nil, 9)
		for i, row := range rows {
			if uint64(row.t) != b.records[record[i]].seq {
				t.Errorf("row %+v is of record %d", row, b.records[record[i]].seq)
			}
			got = append(got, fmt.Sprint(bucket, row.ref, row.t))
		}
	}
	if want := []string{"0 1 4", "0 512 4", "0 1 5", "0 512 5", "0 1 6", "0 512 6", "1 3 4", "1 3 5", "1 2 6", "1 3 6"}; !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}

// TestReplayRows has random rows come out of their buckets in the order of the log, with all of a record at once.
func TestReplayRows(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	w := &replayWorker{r: &replayer{run: 3}}
	w.r.chunk.room = make([]row, 10000) // not enough
	var want [replayBuckets][]row
	var record [replayBuckets][]uint32
	var blocks []*replayBlock
	first := uint32(0)
	for range 20 {
		b := &replayBlock{}
		w.rows = w.rows[:0]
		records := uint32(1 + r.IntN(100))
		for rec := range records {
			from := len(w.rows)
			note := uint32(0)
			for range r.IntN(20) {
				if r.IntN(3) == 0 {
					note = r.Uint32N(10)
				}
				at := row{ref: Ref(r.IntN(400)), note: note, t: r.Int64(), value: r.NormFloat64()}
				w.rows = append(w.rows, at)
				bucket := at.ref >> 3 % replayBuckets
				want[bucket], record[bucket] = append(want[bucket], at), append(record[bucket], first+rec)
			}
			w.share(b, from, 1, first+rec)
		}
		w.order(b)
		blocks = append(blocks, b)
		first += records
	}
	for bucket := range want {
		from, n := replayReader{blocks: blocks, bucket: bucket}, 0
		for from.turn() {
			rows, of := from.read(nil, nil, 1+r.IntN(9))
			end := n + len(rows)
			if end > len(want[bucket]) || !slices.Equal(rows, want[bucket][n:end]) || !slices.Equal(of, record[bucket][n:end]) {
				t.Fatalf("bucket %d has rows %v of records %v, want %v", bucket, rows, of, want[bucket][n:])
			}
			if n = end; n < len(record[bucket]) && record[bucket][n] == record[bucket][n-1] {
				t.Fatalf("record %d was cut", record[bucket][n])
			}
		}
		if n != len(want[bucket]) {
			t.Fatalf("%d rows of bucket %d, want %d", n, bucket, len(want[bucket]))
		}
	}
}

// everything is what a view shows of a metric.
func everything(t *testing.T, db *DB, ref Ref, methods []rollup.Method) string {
	t.Helper()
	v, err := db.View(ref)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	out := ""
	for read := v.Samples(context.Background(), ref, 0, maxSampleTime, SampleQuery{}); read.Next(); {
		c := read.Columns()
		for i := range c.Times {
			out += fmt.Sprintln(c.Times[i], c.Values[i], c.Arrivals[i], c.Seqs[i], read.Err())
		}
	}
	for _, width := range []time.Duration{time.Minute, time.Hour} {
		points, err := v.Measures(context.Background(), ref, width, methods, 0, maxSampleTime)
		out += fmt.Sprintln(width, points, err)
	}
	return out
}

// TestNoteTrimmed has series sealed while all files of the log are needed: recovery skips what they contain, also after a crash that loses
// what was not synced.
func TestNoteTrimmed(t *testing.T) {
	mem := vfs.NewCrashableMem()
	l := newLoad(t, &Options{FS: mem, MemoryBytes: 8 << 20}, 2)
	defer l.db.Close()
	l.db.log.add(0, 2*trimNoteBytes) // as if there had been more
	for i := range 2 * loadBatch {
		l.mustAppend(i % 2)
	}
	if err := l.db.seal(l.refs[0], sealNothing); err != nil {
		t.Fatal(err)
	}
	if err := l.db.seal(l.refs[1], sealNothing); err != nil {
		t.Fatal(err)
	}
	if !l.db.log.due() {
		t.Error("it is not time to look at the log")
	}
	if err := l.db.trimLog(); err != nil {
		t.Fatal(err)
	}
	if got, err := readTrimmed(l.db.p); err != nil || got != l.db.seq.Load() || l.db.log.due() {
		t.Errorf("record %d, %v is noted as the newest needless one of %d", got, err, l.db.seq.Load())
	}
	for percent := 0; percent <= 100; percent += 50 {
		l.reopen(mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(1, 1))}))
	}
}
