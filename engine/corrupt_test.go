package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// TestCheckFindsNothing checks databases whose log was and was not trimmed.
func TestCheckFindsNothing(t *testing.T) {
	for _, compact := range []bool{false, true} {
		fs := vfs.NewMem()
		o := &Options{FS: fs}
		db, err := Open("db", o)
		if err != nil {
			t.Fatal(err)
		}
		var ref Ref
		err = db.Update(context.Background(), func(tx *Tx) error {
			p := ArchivePolicy{Name: "p", Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}}
			if err := tx.CreateArchivePolicy(p); err != nil {
				return err
			}
			m, err := tx.CreateMetric(Metric{Policy: "p"})
			ref = m.Ref
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var b Batch
		for i := range int64(1000) {
			b.Add(ref, 1_700_000_000e9+i*1e9, float64(i))
		}
		if _, err := db.Append(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		if compact {
			if err := db.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		sum, err := Check("db", o, func(f Finding) { t.Errorf("%x: %v", f.Key, f.Err) })
		if err != nil || sum.Keys == 0 {
			t.Errorf("check: %+v, %v", sum, err)
		}
	}
}

// specimen is a database with blocks of all kinds and series records, whose metrics are not in memory.
type specimen struct {
	t       testing.TB
	fs      *vfs.MemFS
	db      *DB
	metrics []Metric
	want    []string // what is read of each metric
}

var specimenPolicies = []ArchivePolicy{
	// Points of one sample each are derived from the raw samples.
	{Name: "derived", Definition: []Granularity{{Width: time.Second}, {Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean, rollup.Count, rollup.Max}, Raw: RawForever},
	{Name: "plain", Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean, rollup.Std, rollup.Median, rollup.Pct(95)}},
	{Name: "rates", BackWindow: 1, Definition: []Granularity{{Width: 10 * time.Second}, {Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean, rollup.Mean.OfRate()}, Raw: 48 * time.Hour},
	{Name: "all", Definition: []Granularity{{Width: 10 * time.Second}, {Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean, rollup.Count}, Raw: RawForever, KeepAll: true},
}

func newSpecimen(t testing.TB) *specimen {
	s := &specimen{t: t, fs: vfs.NewCrashableMem()}
	var err error
	if s.db, err = Open("db", &Options{FS: s.fs, MemoryBytes: 8 << 20}); err != nil {
		t.Fatal(err)
	}
	err = s.db.Update(context.Background(), func(tx *Tx) error {
		project := "project"
		res := &Resource{ID: UUIDv5(UUID{}, "res"), OriginalID: "res", Type: "generic", ProjectID: &project,
			Attributes: map[string]index.Value{"host": textValue("a"), "size": {Kind: index.Number, Num: 4}}}
		if err := tx.CreateResource(res); err != nil {
			return err
		}
		for _, p := range specimenPolicies {
			if err := tx.CreateArchivePolicy(p); err != nil {
				return err
			}
			for i := range 2 {
				name := fmt.Sprint(p.Name, i)
				m, err := tx.CreateMetric(Metric{ID: UUIDv5(UUID{}, name), Name: &name, Policy: p.Name, Resource: &res.ID})
				if err != nil {
					return err
				}
				s.metrics = append(s.metrics, m)
			}
		}
		return tx.CreateRule(Rule{Name: "rule", Pattern: "disk.*", Policy: "plain"})
	})
	if err != nil {
		t.Fatal(err)
	}
	s.append(0, 400)
	if err := s.db.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.append(400, 430)
	if err := s.db.checkpoint(sealNothing); err != nil {
		t.Fatal(err)
	}
	s.db.evict()
	s.db.evict()
	if n := s.db.head.count.Load(); n != 0 {
		t.Fatalf("%d series stay in memory", n)
	}
	for _, m := range s.metrics {
		got, err := s.read(s.db, m)
		if err != nil {
			t.Fatal(err)
		}
		s.want = append(s.want, got)
	}
	return s
}

func (s *specimen) append(from, to int64) {
	var b Batch
	r := rand.New(rand.NewPCG(1, uint64(from)))
	cs, err := s.db.InternContexts(context.Background(), []Context{{Source: "a"}, {Source: "b", Metadata: []byte(`{"k":[1,"x"]}`)}})
	if err != nil {
		s.t.Fatal(err)
	}
	for i := from; i < to; i++ {
		for k, m := range s.metrics {
			v := float64(r.IntN(1000)) / 10
			if k%2 == 1 {
				v = r.NormFloat64()
			}
			t := 1_700_000_000e9 + i*1e9
			if m.Policy != "all" {
				b.Add(m.Ref, t, v)
				continue
			}
			b.AddSample(m.Ref, t, v, cs[i/50%2], t+r.Int64N(1e9))
			if i%20 == 0 { // a second one, and one that is late
				b.AddSample(m.Ref, t, v+1, cs[0], t)
				b.AddSample(m.Ref, t-300e9, v, 0, 0)
			}
		}
	}
	if _, err := s.db.Append(context.Background(), &b); err != nil {
		s.t.Fatal(err)
	}
}

// read returns everything there is of a metric.
func (s *specimen) read(db *DB, m Metric) (string, error) {
	v, err := db.View(m.Ref)
	if err != nil {
		return "", err
	}
	defer v.Close()
	p, err := db.ArchivePolicy(m.Policy)
	if err != nil {
		return "", err
	}
	out := ""
	for _, g := range p.Definition {
		ps, err := v.Measures(context.Background(), m.Ref, g.Width, p.Methods, 0, math.MaxInt64)
		if err != nil {
			return "", err
		}
		out += fmt.Sprintf("%v %v\n", g.Width, ps)
	}
	r := v.Samples(context.Background(), m.Ref, 0, math.MaxInt64, SampleQuery{})
	for r.Next() {
		out += fmt.Sprint(*r.Columns())
	}
	if r.Err() != nil {
		return "", r.Err()
	}
	ts, vs, err := v.Raw(context.Background(), m.Ref, 0, math.MaxInt64, nil, nil)
	return out + fmt.Sprint(ts, vs), err
}

// stored returns the keys of a kind and their values.
func (s *specimen) stored(kind byte) (keys, values [][]byte) {
	it, err := s.db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{kind}, UpperBound: []byte{kind + 1}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		keys = append(keys, bytes.Clone(it.Key()))
		values = append(values, bytes.Clone(it.Value()))
	}
	return keys, values
}

// eachFlip stores every value of a kind with each of its bits flipped, one at a time, and calls fn.
func (s *specimen) eachFlip(kind byte, pick func(key []byte) bool, fn func(key []byte, bit int)) {
	keys, values := s.stored(kind)
	n := 0
	enough := time.Now().Add(patience)
	for i, key := range keys {
		if !pick(key) {
			continue
		}
		for _, bit := range rand.Perm(8 * len(values[i])) {
			if time.Now().After(enough) {
				break
			}
			bad := bytes.Clone(values[i])
			bad[bit/8] ^= 1 << (bit % 8)
			s.set(key, bad)
			fn(key, bit)
			n++
			if s.t.Failed() {
				s.t.Fatalf("key %x, bit %d", key, bit)
			}
		}
		if err := s.db.p.Set(key, values[i], pebble.Sync); err != nil {
			s.t.Fatal(err)
		}
		s.checkNames(key, values[i])
	}
	if n == 0 {
		s.t.Errorf("nothing stored of kind %x", kind)
	}
	s.t.Logf("kind %x: %d flips", kind, n)
}

func (s *specimen) set(key, value []byte) {
	if err := s.db.p.Set(key, value, pebble.NoSync); err != nil {
		s.t.Fatal(err)
	}
	s.db.forgetRead()
}

// forgetRead drops what reading has brought into memory.
func (db *DB) forgetRead() {
	db.evict()
	db.last.cache.clear()
}

// checkNames has Check read a copy of the database in which the value is damaged.
func (s *specimen) checkNames(key, value []byte) {
	fs := s.fs.CrashClone(vfs.CrashCloneCfg{})
	p, err := pebble.Open("db", &pebble.Options{FS: fs, FormatMajorVersion: storeFormat, Logger: storeLogger{&s.db.fault}})
	if err != nil {
		s.t.Fatal(err)
	}
	bad := bytes.Clone(value)
	bad[len(bad)/2] ^= 0x10
	if err := errors.Join(p.Set(key, bad, pebble.Sync), p.Close()); err != nil {
		s.t.Fatal(err)
	}
	var found []Finding
	_, err = Check("db", &Options{FS: fs}, func(f Finding) { found = append(found, f) })
	var c *CorruptError
	if errors.As(err, &c) && bytes.Equal(c.Key, key) {
		return // without policies and counters there is no going on
	}
	if err != nil || len(found) != 1 || !bytes.Equal(found[0].Key, key) {
		s.t.Errorf("check of a database with %x damaged: %v, %v", key, found, err)
		return
	}
	if ref := refOfKey(key); ref != 0 && found[0].Metric != s.metricOf(key).ID {
		s.t.Errorf("check of a database with %x damaged names metric %v", key, found[0].Metric)
	}
	if _, ok := parseBlockKey(key); ok && found[0].From >= found[0].To {
		s.t.Errorf("check of a database with %x damaged names the range [%d,%d]", key, found[0].From, found[0].To)
	}
}

// refOfKey is the metric that a key of the sample side belongs to, 0 if it belongs to none.
func refOfKey(key []byte) Ref {
	if k, ok := parseBlockKey(key); ok {
		return k.ref
	}
	if key[0] == keySeries {
		return Ref(beUint32(key[1:]))
	}
	return 0
}

func (s *specimen) index(key []byte) int {
	return slices.IndexFunc(s.metrics, func(m Metric) bool { return m.Ref == refOfKey(key) })
}

func (s *specimen) metricOf(key []byte) Metric { return s.metrics[s.index(key)] }

// TestFlippedSamples flips the bits of blocks and series records: reading the metric gives an error that names it and the time, or what
// was stored; others stay readable; nothing is allocated out of proportion.
func TestFlippedSamples(t *testing.T) {
	s := newSpecimen(t)
	defer func() { _ = s.db.Close() }()
	var before, after runtime.MemStats
	for _, kind := range []byte{keyRaw, keyAgg, keySeries} {
		n := 0
		odd := func(key []byte) bool { return refOfKey(key)%2 == 1 }
		s.eachFlip(kind, odd, func(key []byte, bit int) {
			i := s.index(key)
			if n++; n%20 == 0 {
				runtime.ReadMemStats(&before)
			}
			got, err := s.read(s.db, s.metrics[i])
			if n%20 == 0 {
				if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 16<<20 {
					t.Errorf("%d bytes allocated", after.TotalAlloc-before.TotalAlloc)
				}
				if other, err := s.read(s.db, s.metrics[i+1]); err != nil || other != s.want[i+1] {
					t.Errorf("another metric is damaged: %v", err)
				}
			}
			var c *CorruptError
			switch {
			case err == nil && got != s.want[i]:
				t.Errorf("%s: read\n%s\nwant\n%s", s.metrics[i].Policy, got, s.want[i])
			case err == nil:
			case !errors.As(err, &c) || c.Metric != s.metrics[i].ID || kind != keySeries && c.From >= c.To:
				t.Errorf("%v: want a CorruptError that names metric and range, not %+v", err, c)
			}
		})
	}
	// A batch that needs what is damaged is refused, and nothing of it stored.
	keys, values := s.stored(keySeries)
	s.set(keys[0], append([]byte{9}, values[0]...))
	var b Batch
	for _, m := range s.metrics {
		b.Add(m.Ref, 1_800_000_000e9, 1)
	}
	if _, err := s.db.Append(context.Background(), &b); !errors.Is(err, ErrCorrupt) {
		t.Errorf("append to a damaged series: %v", err)
	}
	s.set(keys[0], values[0])
	for i, m := range s.metrics {
		if got, err := s.read(s.db, m); err != nil || got != s.want[i] {
			t.Errorf("metric %d after a refused batch: %v", i, err)
		}
	}
}

// TestFlippedCatalogue flips the bits of records of the catalogue: what is asked of it is an error or what was stored.
func TestFlippedCatalogue(t *testing.T) {
	s := newSpecimen(t)
	defer func() { _ = s.db.Close() }()
	ask := func() (string, error) {
		cat, err := openCatalogue(s.db.p, &s.db.opts)
		if err != nil {
			return "", err
		}
		db := &DB{p: s.db.p, cat: cat, opts: s.db.opts}
		out := fmt.Sprint(db.ArchivePolicies(), db.Rules(), db.CountMetrics(), db.CountResources())
		r, err := db.Resource(UUIDv5(UUID{}, "res"))
		if err != nil {
			return "", err
		}
		out += fmt.Sprint(r.ID, r.OriginalID, r.Type, *r.ProjectID, r.StartedAt, r.RevisionStart, r.Attributes, r.Metrics)
		for _, m := range s.metrics {
			if m, err = db.Metric(m.ID); err != nil {
				return "", err
			}
			out += fmt.Sprint(m.ID, m.Ref, *m.Name, m.Policy, m.Resource)
		}
		return out, nil
	}
	want, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []byte{keyMeta, keyPolicy, keyRule, keyResource, keyMetric, keyResourceID, keyMetricID} {
		s.eachFlip(kind, func(key []byte) bool { return !bytes.Equal(key, seqKey) }, func(key []byte, bit int) {
			switch got, err := ask(); {
			case err == nil && got != want:
				t.Errorf("read\n%s\nwant\n%s", got, want)
			case err == nil:
			case !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion):
				t.Errorf("%v: want ErrCorrupt or ErrVersion", err)
			}
		})
	}
}

// TestFlippedFiles flips bits of the files of a closed database: what is read is an error or what was stored.
func TestFlippedFiles(t *testing.T) {
	s := newSpecimen(t)
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	names, err := s.fs.List("db")
	if err != nil {
		t.Fatal(err)
	}
	enough := time.Now().Add(patience)
	flips, refused, failed := 0, 0, 0
	for range 150 {
		for _, name := range names {
			path := s.fs.PathJoin("db", name)
			if !isTable(name) || time.Now().After(enough) {
				continue
			}
			fs := s.fs.CrashClone(vfs.CrashCloneCfg{})
			flipFile(t, fs, path, r)
			flips++
			db, err := Open("db", &Options{FS: fs, MemoryBytes: 8 << 20})
			if err != nil {
				refused++
				continue
			}
			for i, m := range s.metrics {
				got, err := s.read(db, m)
				if err != nil {
					failed++
				} else if got != s.want[i] {
					t.Errorf("a bit of %s flipped: metric %d differs", name, i)
				}
			}
			within(t, "Close", func() { _ = db.Close() })
		}
	}
	if flips == 0 || refused+failed == 0 {
		t.Errorf("%d flips, %d of them noticed by Open and %d reads by an error", flips, refused, failed)
	}
	t.Logf("%d flips: %d times Open refused, %d reads failed", flips, refused, failed)
}

func flipFile(t *testing.T, fs vfs.FS, path string, r *rand.Rand) {
	f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	i, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	at := r.Int64N(i.Size())
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << r.IntN(8)
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// sealed returns b with a right checksum behind it, so that fuzzing gets past that.
func sealed(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Clone(b), crc32.Checksum(b, castagnoli))
}

// unsealed takes the checksum off.
func unsealed(b []byte) []byte { return b[:len(b)-4] }

func logRecord(rows []row, notes []note, seq uint64) []byte {
	b := appendLogBatch(nil, rows, notes)
	return endLogRecord(b, crc32.Checksum(b, castagnoli), seq)
}

func decodeLogRecord(b []byte) (seq uint64, rows []row, notes []note, err error) {
	seq, fields, err := openLogRecord(b)
	if err == nil {
		rows, notes, err = decodeLogRows(nil, nil, fields)
	}
	return seq, rows, notes, err
}

// FuzzLogRecord reads arbitrary bytes before a right checksum as a log record; what is read is written and read again.
func FuzzLogRecord(f *testing.F) {
	f.Add(unsealed(logRecord([]row{{1, 0, 1e18, 1.5}, {2, 0, 1e18, 0}, {2, 0, 1e18 + 1e9, math.NaN()}, {9, 0, 5, -1}}, nil, 7)))
	f.Add(unsealed(logRecord([]row{{1, 2, 1e18, 1.5}, {2, 0, 1e18, 0}, {2, 1, 1e18, 0}}, []note{{7, 1e18}, {9, 1e18 + 5e6}}, 8)))
	f.Add(unsealed(logRecord(nil, nil, 1<<60)))
	// An arrival whose milliseconds fit in 64 bits and whose nanoseconds do not.
	outside := binary.AppendVarint([]byte{logVersionNotes, 0, 1, 0}, math.MaxInt64/nanosPerMilli+1)
	f.Add(binary.LittleEndian.AppendUint64(outside, 9))
	f.Fuzz(func(t *testing.T, b []byte) {
		seq, rows, notes, err := decodeLogRecord(sealed(b))
		if len(rows) > len(b) || len(notes) > len(b) {
			t.Fatalf("%d rows of %d bytes", len(rows), len(b))
		}
		if err != nil {
			return
		}
		number, again, notesAgain, err := decodeLogRecord(logRecord(rows, notes, seq))
		same := func(x, y row) bool {
			return x.ref == y.ref && x.note == y.note && x.t == y.t && bitsOf(x.value) == bitsOf(y.value)
		}
		if err != nil || number != seq || !slices.EqualFunc(again, rows, same) || !slices.Equal(notes, notesAgain) {
			t.Fatalf("%d %v became %d %v, %v", seq, rows, number, again, err)
		}
	})
}

// FuzzSeriesRecord reads arbitrary bytes before a right checksum as a series record; what is read is written and read again.
func FuzzSeriesRecord(f *testing.F) {
	s := newSpecimen(f)
	_, values := s.stored(keySeries)
	if err := s.db.Close(); err != nil {
		f.Fatal(err)
	}
	for _, v := range values {
		f.Add(unsealed(v))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var x, y series
		err := x.decodeRecord(sealed(b))
		if len(x.tail.buf) > len(b) || len(x.ends)+len(x.seams) > 2*len(b) {
			t.Fatalf("%d bytes became a tail of %d, %d ends, %d seams (%v)", len(b), len(x.tail.buf), len(x.ends), len(x.seams), err)
		}
		if err != nil {
			return
		}
		record := x.appendRecord(nil, x.sealed, x.carry, x.ends, x.seams, &x.tail, x.notes, x.late)
		if err := y.decodeRecord(record); err != nil {
			t.Fatalf("a record read from %x and written again: %v", b, err)
		}
		if again := y.appendRecord(nil, y.sealed, y.carry, y.ends, y.seams, &y.tail, y.notes, y.late); !bytes.Equal(again, record) {
			t.Fatalf("%x became %x, then %x", b, record, again)
		}
	})
}

// FuzzDerivedBlock reads arbitrary bytes before a right checksum as a derived block.
func FuzzDerivedBlock(f *testing.F) {
	f.Add(unsealed(appendDerived(nil, 60, 59)), int64(1e9), int64(1e18))
	f.Add(unsealed(appendDerived(nil, 1, 0)), int64(60e9), int64(0))
	f.Fuzz(func(t *testing.T, b []byte, width, end int64) {
		k := blockKey{kind: keyAgg, width: width, end: end}
		n, first, err := decodeDerived(sealed(b), k)
		if err == nil && (n < 1 || first > end || first < 0 || int64(n-1) > (end-first)/width) {
			t.Fatalf("%d points from %d to %d", n, first, end)
		}
	})
}

// FuzzBlockKey reads arbitrary bytes as keys of blocks: what is read is written the same, and sorts as its fields do.
func FuzzBlockKey(f *testing.F) {
	f.Add(blockKey{keyRaw, 1e9, 3, 7, 1e18}.append(nil), blockKey{keyAgg, 60e9, 0, 1, 0}.append(nil))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, ok := parseBlockKey(a)
		if !ok {
			return
		}
		if !bytes.Equal(x.append(nil), a) {
			t.Fatalf("%x became %+v", a, x)
		}
		if x.width > 0 {
			_ = x.corrupt(ErrCorrupt).Error()
		}
		y, ok := parseBlockKey(b)
		if !ok || x.width < 0 || y.width < 0 || x.end < 0 || y.end < 0 {
			return
		}
		want := cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.width, y.width), cmp.Compare(x.partition, y.partition),
			cmp.Compare(x.ref, y.ref), cmp.Compare(x.end, y.end))
		if bytes.Compare(a, b) != want {
			t.Fatalf("%+v and %+v do not sort as their keys", x, y)
		}
	})
}

// TestRemadeRecords damages series records and blocks and makes their checksums right again, which only a defect of the writer could do:
// reading then shows something, or a CorruptError, but ends.
func TestRemadeRecords(t *testing.T) {
	s := newSpecimen(t)
	defer func() { _ = s.db.Close() }()
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	enough := time.Now().Add(patience)
	for _, kind := range []byte{keySeries, keyAgg} {
		keys, values := s.stored(kind)
		for n := 0; n < 4000 && time.Now().Before(enough); n++ {
			i := r.IntN(len(keys))
			if kind == keyAgg && values[i][0] != blockDerived {
				continue // a block of columns is package encoding's to fuzz
			}
			bad := bytes.Clone(unsealed(values[i]))
			for range 1 + r.IntN(3) {
				at := r.IntN(min(len(bad), 60)) // the fields before the tail
				bad[at] = byte(r.IntN(256))
			}
			s.set(keys[i], sealed(bad))
			within(t, "read", func() {
				_, err := s.read(s.db, s.metricOf(keys[i]))
				var c *CorruptError
				if err != nil && (!errors.As(err, &c) || c.Metric != s.metricOf(keys[i]).ID) {
					t.Errorf("%x: %v: want a CorruptError that names the metric", bad, err)
				}
			})
			if t.Failed() {
				t.Fatalf("key %x value %x", keys[i], bad)
			}
			s.set(keys[i], values[i])
		}
	}
}
