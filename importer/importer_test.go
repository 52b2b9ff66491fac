package importer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/samples"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

var begin = time.Date(2014, 3, 1, 12, 0, 0, 0, time.UTC)

func marshal(t testing.TB, doc bson.D) []byte {
	t.Helper()
	b, err := bson.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// objectID gives ascending ids.
func objectID(n int) (id primitive.ObjectID) {
	binary.BigEndian.PutUint32(id[:], uint32(begin.Unix()))
	binary.BigEndian.PutUint32(id[8:], uint32(n))
	return id
}

// meterDoc is a sample as Ceilometer wrote it from 2014 on.
func meterDoc(n int, meter, resource string, at time.Time, volume any, metadata bson.D) bson.D {
	return bson.D{
		{Key: "_id", Value: objectID(n)}, {Key: "counter_name", Value: meter}, {Key: "counter_type", Value: "gauge"},
		{Key: "counter_unit", Value: "%"}, {Key: "counter_volume", Value: volume}, {Key: "user_id", Value: "u1"},
		{Key: "project_id", Value: "p1"}, {Key: "resource_id", Value: resource}, {Key: "source", Value: "openstack"},
		{Key: "timestamp", Value: primitive.NewDateTimeFromTime(at)}, {Key: "resource_metadata", Value: metadata},
		{Key: "message_id", Value: fmt.Sprintf("5a2d0a0c-a1b2-11e3-8f5c-%012x", n)},
		{Key: "message_signature", Value: strings.Repeat("0f", 32)},
		{Key: "recorded_at", Value: primitive.NewDateTimeFromTime(at.Add(1500 * time.Millisecond))},
	}
}

// without leaves members of a document out, with puts one in place of another.
func without(doc bson.D, keys ...string) (left bson.D) {
	for _, e := range doc {
		if !slices.Contains(keys, e.Key) {
			left = append(left, e)
		}
	}
	return left
}

func with(doc bson.D, key string, value any) bson.D {
	return append(without(doc, key), bson.E{Key: key, Value: value})
}

// TestDecodeMeter has a document of each layout since 2013, and of each way to be none.
func TestDecodeMeter(t *testing.T) {
	rich := meterDoc(1, "cpu_util", "vm-1", begin, 12.5, bson.D{
		{Key: "host", Value: "h1"}, {Key: "%24ref", Value: int32(7)}, {Key: "ratio", Value: 2.0}, {Key: "big", Value: int64(1) << 60},
		{Key: "up", Value: true}, {Key: "none", Value: nil}, {Key: "since", Value: primitive.NewDateTimeFromTime(begin)},
		{Key: "flavor", Value: bson.D{{Key: "name", Value: "m1 \"x\"\n"}}}, {Key: "ips", Value: bson.A{"10.0.0.1", 2}},
	})
	for _, c := range []struct {
		name string
		doc  bson.D
		want string // as spell gives it, or why not
	}{
		{"2014 on", rich, `cpu_util gauge "%" 12.5 vm-1 u1 p1 openstack 2014-03-01T12:00:00Z +1.5s {"host":"h1","$ref":7,"ratio":2.0,` +
			`"big":1152921504606846976,"up":true,"none":null,"since":"2014-03-01 12:00:00","flavor":{"name":"m1 \"x\"\u000a"},"ips":["10.0.0.1",2]}`},
		{"2013: no arrival, no unit", without(rich, "recorded_at", "counter_unit", "resource_metadata"),
			`cpu_util gauge "" 12.5 vm-1 u1 p1 openstack 2014-03-01T12:00:00Z +0s `},
		{"posted to the API", with(with(rich, "source", "p1:openstack"), "resource_metadata", bson.D{{Key: "nest", Value: bson.D{{Key: "a", Value: "1"}}}}),
			`cpu_util gauge "%" 12.5 vm-1 u1 p1 p1:openstack 2014-03-01T12:00:00Z +1.5s {"nest":{"a":"1"}}`},
		{"nobody's", with(with(with(rich, "user_id", nil), "project_id", nil), "resource_metadata", bson.D{}),
			`cpu_util gauge "%" 12.5 vm-1 null null openstack 2014-03-01T12:00:00Z +1.5s {}`},
		{"volume in 32 bits", with(with(rich, "counter_volume", int32(3)), "resource_metadata", bson.D{}),
			`cpu_util gauge "%" 3 vm-1 u1 p1 openstack 2014-03-01T12:00:00Z +1.5s {}`},
		{"volume in 64 bits", with(with(rich, "counter_volume", int64(1)<<53+1), "resource_metadata", bson.D{}),
			`cpu_util gauge "%" 9.007199254740992e+15 vm-1 u1 p1 openstack 2014-03-01T12:00:00Z +1.5s {}`},
		{"volume as text", with(with(rich, "counter_volume", " 4.25 "), "resource_metadata", bson.D{}),
			`cpu_util gauge "%" 4.25 vm-1 u1 p1 openstack 2014-03-01T12:00:00Z +1.5s {}`},
		{"no volume", without(rich, "counter_volume"), string(rejectVolume)},
		{"volume of text", with(rich, "counter_volume", "much"), string(rejectVolume)},
		{"volume null", with(rich, "counter_volume", nil), string(rejectVolume)},
		{"volume true", with(rich, "counter_volume", true), string(rejectVolume)},
		{"volume infinite", with(rich, "counter_volume", math.Inf(1)), string(rejectInfinite)},
		{"volume too large a text", with(rich, "counter_volume", "1e999"), string(rejectInfinite)},
		{"no meter", without(rich, "counter_name"), string(rejectNoMeter)},
		{"meter a number", with(rich, "counter_name", 5), string(rejectNoMeter)},
		{"no resource", without(rich, "resource_id"), string(rejectNoResource)},
		{"no time", without(rich, "timestamp"), string(rejectNoTime)},
		{"time a text", with(rich, "timestamp", "2014"), string(rejectNoTime)},
		{"year 1", with(rich, "timestamp", primitive.NewDateTimeFromTime(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))), string(rejectTime)},
		{"year 9999", with(rich, "timestamp", primitive.NewDateTimeFromTime(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))), string(rejectTime)},
		{"project a number", with(rich, "project_id", 5), string(rejectText)},
		{"metadata a text", with(rich, "resource_metadata", "x"), string(rejectMetadata)},
	} {
		var s samples.Sample
		got := ""
		if err := decodeMeter(marshal(t, c.doc), &s); err != nil {
			got = err.Error()
		} else {
			got = spell(&s)
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func spell(s *samples.Sample) string {
	opt := func(p *string) string {
		if p == nil {
			return "null"
		}
		return *p
	}
	return fmt.Sprintf("%s %s %q %v %s %s %s %s %s +%v %s", s.Meter, s.Type, s.Unit, s.Volume, s.ResourceID, opt(s.UserID), opt(s.ProjectID),
		s.Source, time.Unix(0, s.Time).UTC().Format(time.RFC3339Nano), time.Duration(s.Arrival-s.Time), s.Metadata)
}

// cloud gives n samples of a small cloud in the order they were written in, some of them delivered twice, and some that are none.
func cloud(t testing.TB, n int) (docs [][]byte) {
	for i := range n {
		at := begin.Add(time.Duration(i/7) * time.Second)
		metadata := bson.D{{Key: "host", Value: "h1"}, {Key: "status", Value: []string{"active", "paused"}[i/500%2]}}
		doc := meterDoc(i, fmt.Sprintf("meter.%d", i%5), fmt.Sprintf("vm/%d", i%7), at, float64(i)*0.1, metadata)
		switch {
		case i%50 == 49:
			doc = with(doc, "message_id", "5a2d0a0c-a1b2-11e3-8f5c-000000000000")
		case i%97 == 96:
			doc = with(doc, "counter_volume", "n/a")
		}
		docs = append(docs, marshal(t, doc))
		if i%41 == 40 {
			docs = append(docs, docs[len(docs)-1]) // delivered again
		}
	}
	return docs
}

func eventDocs(t testing.TB, n int) (docs [][]byte) {
	for i := range n {
		docs = append(docs, marshal(t, bson.D{{Key: "_id", Value: fmt.Sprintf("event-%d", i)}, {Key: "event_type", Value: "compute.instance.update"},
			{Key: "timestamp", Value: primitive.NewDateTimeFromTime(begin.Add(time.Duration(i) * time.Second))},
			{Key: "traits", Value: bson.A{
				bson.D{{Key: "trait_name", Value: "host"}, {Key: "trait_type", Value: 1}, {Key: "trait_value", Value: "h1"}},
				bson.D{{Key: "trait_name", Value: "vcpus"}, {Key: "trait_type", Value: 2}, {Key: "trait_value", Value: int32(i)}},
				bson.D{{Key: "trait_name", Value: "load"}, {Key: "trait_type", Value: 3}, {Key: "trait_value", Value: 0.5}},
				bson.D{{Key: "trait_name", Value: "at"}, {Key: "trait_type", Value: 4}, {Key: "trait_value", Value: primitive.NewDateTimeFromTime(begin)}},
			}}, {Key: "raw", Value: bson.D{{Key: "priority", Value: "INFO"}}}}))
	}
	return docs
}

func writeFile(t testing.TB, path string, compressed bool, content []byte) {
	t.Helper()
	var b bytes.Buffer
	w := io.Writer(&b)
	if compressed {
		z := gzip.NewWriter(&b)
		defer func() {
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}()
		w = z
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// archiveOf writes an archive as mongodump does: blocks of the collections by turns.
func archiveOf(t testing.TB, meters, events [][]byte) []byte {
	end := []byte{0xff, 0xff, 0xff, 0xff}
	b := binary.LittleEndian.AppendUint32(nil, archiveMagic)
	b = append(b, marshal(t, bson.D{{Key: "concurrent_collections", Value: int32(4)}, {Key: "version", Value: "0.1"}})...)
	for _, name := range []string{"meter", "event"} {
		b = append(b, marshal(t, bson.D{{Key: "db", Value: "ceilometer"}, {Key: "collection", Value: name}, {Key: "metadata", Value: "{}"}})...)
	}
	b = append(b, end...)
	block := func(name string, eof bool, docs [][]byte) {
		b = append(b, marshal(t, bson.D{{Key: "db", Value: "ceilometer"}, {Key: "collection", Value: name}, {Key: "EOF", Value: eof},
			{Key: "CRC", Value: int64(0)}})...)
		b = append(append(b, bytes.Join(docs, nil)...), end...)
	}
	for len(meters)+len(events) > 0 {
		m, e := min(len(meters), 300), min(len(events), 20)
		block("meter", false, meters[:m])
		block("event", false, events[:e])
		meters, events = meters[m:], events[e:]
	}
	block("meter", true, nil)
	block("event", true, nil)
	return b
}

func openStore(t testing.TB, dir string) (*engine.DB, *samples.Store) {
	t.Helper()
	db, err := engine.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil && !errors.Is(err, engine.ErrClosed) {
			t.Error(err)
		}
	})
	return db, samples.New(db, nil)
}

// importAll imports a dump, verifies it and returns the report.
func importAll(t testing.TB, path string, db *engine.DB, store *samples.Store, o Options) *Report {
	t.Helper()
	src, err := OpenDump(path)
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(context.Background(), src, db, store, o)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(context.Background(), src, db, store, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Differences) > 0 || v.Samples != report.Samples {
		t.Errorf("%d of %d samples, %d differences, such as %v", report.Samples, v.Samples, len(v.Differences), v.Differences[:min(1, len(v.Differences))])
	}
	return report
}

func TestDumpsOfEveryKind(t *testing.T) {
	meters, events := cloud(t, 3000), eventDocs(t, 50)
	plain := filepath.Join(t.TempDir(), "dump")
	writeFile(t, filepath.Join(plain, "ceilometer", "meter.bson"), false, bytes.Join(meters, nil))
	writeFile(t, filepath.Join(plain, "ceilometer", "event.bson"), false, bytes.Join(events, nil))
	zipped := t.TempDir()
	writeFile(t, filepath.Join(zipped, "meter.bson.gz"), true, bytes.Join(meters, nil))
	writeFile(t, filepath.Join(zipped, "event.bson.gz"), true, bytes.Join(events, nil))
	archive := filepath.Join(t.TempDir(), "ceilometer.archive")
	writeFile(t, archive, false, archiveOf(t, meters, events))
	zippedArchive := filepath.Join(t.TempDir(), "ceilometer.archive.gz")
	writeFile(t, zippedArchive, true, archiveOf(t, meters, events))

	var first string
	for _, path := range []string{plain, zipped, archive, zippedArchive} {
		db, store := openStore(t, t.TempDir())
		report := importAll(t, path, db, store, Options{})
		if report.Rejected[string(rejectVolume)] == 0 || report.Events != 50 {
			t.Errorf("%s: %+v", path, report)
		}
		got := contents(t, db)
		if first == "" {
			first = got
		} else if got != first {
			t.Errorf("%s: another store than from %s", path, plain)
		}
		again := importAll(t, path, db, store, Options{})
		if !again.Resumed || again.Samples != report.Samples || again.Events != 0 || contents(t, db) != first {
			t.Errorf("%s, again: %+v after %+v", path, again, report)
		}
	}
}

// Of one database there are dumps of several kinds; an import of one cannot go on with another, whose documents are elsewhere.
func TestAnotherDumpOfTheSame(t *testing.T) {
	meters := cloud(t, 300)
	dir, archive := t.TempDir(), filepath.Join(t.TempDir(), "ceilometer.archive")
	writeFile(t, filepath.Join(dir, "meter.bson"), false, bytes.Join(meters, nil))
	writeFile(t, archive, false, archiveOf(t, meters, nil))
	db, store := openStore(t, t.TempDir())
	importAll(t, dir, db, store, Options{})
	before := contents(t, db)
	src, err := OpenDump(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if _, err := Run(context.Background(), src, db, store, Options{}); err == nil || !strings.Contains(err.Error(), "not the same dump") {
		t.Errorf("the archive after the directory: %v", err)
	}
	if contents(t, db) != before {
		t.Error("samples are there twice")
	}
}

// TestResources imports documents that say of a resource what its samples do not.
func TestResources(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "meter.bson"), false, bytes.Join(cloud(t, 300), nil))
	meter := func(n int) bson.D {
		return bson.D{{Key: "counter_name", Value: fmt.Sprint("meter.", n)}, {Key: "counter_type", Value: "gauge"}, {Key: "counter_unit", Value: "%"}}
	}
	one := bson.D{{Key: "_id", Value: "vm/1"}, {Key: "user_id", Value: nil}, {Key: "project_id", Value: "new owner"}, {Key: "source", Value: "api"},
		{Key: "meter", Value: bson.A{meter(3), meter(9), meter(1)}}}
	writeFile(t, filepath.Join(dir, "resource.bson"), false, bytes.Join([][]byte{marshal(t, one),
		marshal(t, with(one, "_id", "gone long ago")), marshal(t, with(one, "_id", 5)), marshal(t, with(one, "meter", "x"))}, nil))
	db, store := openStore(t, t.TempDir())
	report := importAll(t, dir, db, store, Options{})
	if report.Rejected[string(rejectNoID)] != 1 || report.Rejected[string(rejectMeters)] != 1 {
		t.Errorf("%v", report.Rejected)
	}
	r, err := db.Resource(store.ResourceUUID("vm/1"))
	if err != nil {
		t.Fatal(err)
	}
	if r.UserID != nil || r.ProjectID == nil || *r.ProjectID != "new owner" || r.Source != "api" ||
		len(r.Meters) != 5 || r.Meters[0].Name != "meter.3" || r.Meters[1].Name != "meter.1" {
		t.Errorf("%v %v %s %v", r.UserID, r.ProjectID, r.Source, r.Meters)
	}
	err = db.Update(context.Background(), func(tx *engine.Tx) error {
		r.ProjectID = nil
		return tx.UpdateResource(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	importAll(t, dir, db, store, Options{})
	if r, err = db.Resource(r.ID); err != nil || r.ProjectID != nil {
		t.Errorf("imported again, the owner that came later is gone: %v, %v", r.ProjectID, err)
	}
	if n := db.CountResources(); n != 7 {
		t.Errorf("%d resources, 7 have samples", n)
	}
}

func TestDedupe(t *testing.T) {
	dir := t.TempDir()
	docs := cloud(t, 3000)
	writeFile(t, filepath.Join(dir, "meter.bson"), false, bytes.Join(docs, nil))
	db, store := openStore(t, t.TempDir())
	all := importAll(t, dir, db, store, Options{})
	db, store = openStore(t, t.TempDir())
	once := importAll(t, dir, db, store, Options{Dedupe: true})
	if once.Duplicates == 0 || once.Samples+once.Duplicates != all.Samples {
		t.Errorf("%d samples once and %d duplicates of %d", once.Samples, once.Duplicates, all.Samples)
	}
}

func TestDamagedDump(t *testing.T) {
	meters := cloud(t, 500)
	whole := bytes.Join(meters, nil)
	at := 0
	for _, d := range meters[:300] {
		at += len(d)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"cut off in a document":       func(b []byte) []byte { return b[:at+100] },
		"cut off in a length":         func(b []byte) []byte { return b[:at+2] },
		"length of 4 GB":              func(b []byte) []byte { copy(b[at:], "\xfe\xff\xff\xff"); return b },
		"length of 15 MB":             func(b []byte) []byte { copy(b[at:], "\x00\x00\xf0\x00"); return b },
		"length of the end mark":      func(b []byte) []byte { copy(b[at:], "\xff\xff\xff\xff"); return b },
		"a string longer than it all": func(b []byte) []byte { copy(b[at+4+1+4+12+1+13:], "\xff\xff\xff\x7f"); return b },
		"an unknown type":             func(b []byte) []byte { b[at+4] = 0x66; return b },
	} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "meter.bson"), false, damage(bytes.Clone(whole)))
		db, store := openStore(t, t.TempDir())
		src, err := OpenDump(dir)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Run(context.Background(), src, db, store, Options{})
		var where *DamageError
		if !errors.As(err, &where) || where.Offset != int64(at) || !strings.HasSuffix(where.File, "meter.bson") {
			t.Errorf("%s: %v, want the damage at byte %d", name, err, at)
		}
		if n := db.CountMetrics(); n != 0 {
			t.Errorf("%s: %d metrics of a dump that was refused", name, n)
		}
		report := importAll(t, dir, db, store, Options{KeepBeforeDamage: true})
		if report.Damage == nil || report.Samples < 290 || report.Samples > 310 {
			t.Errorf("%s: kept %d, damage %v", name, report.Samples, report.Damage)
		}
	}
}

func TestNotADump(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenDump(dir); err == nil {
		t.Error("an empty directory passes for a dump")
	}
	writeFile(t, filepath.Join(dir, "notes.txt"), false, []byte("nothing"))
	if _, err := OpenDump(filepath.Join(dir, "notes.txt")); err == nil {
		t.Error("a text passes for an archive")
	}
	writeFile(t, filepath.Join(dir, "a", "meter.bson"), false, nil)
	writeFile(t, filepath.Join(dir, "b", "meter.bson"), false, nil)
	if _, err := OpenDump(dir); err == nil {
		t.Error("two databases pass for one")
	}
}

// contents spells what a database has of metrics and samples.
func contents(t testing.TB, db *engine.DB) string {
	t.Helper()
	var b strings.Builder
	ctx := context.Background()
	metrics, err := db.Metrics(ctx, engine.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range metrics {
		v, err := db.View(m.Ref)
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s", *m.Name, m.Resource)
		rows := v.Samples(ctx, m.Ref, 0, math.MaxInt64, engine.SampleQuery{OldestFirst: true})
		for rows.Next() {
			c := rows.Columns()
			for i := range c.Times {
				of, err := db.Context(c.Contexts[i])
				if err != nil {
					t.Fatal(err)
				}
				line += fmt.Sprintf(" %d %v %d %s", c.Times[i], c.Values[i], c.Arrivals[i], of.Metadata)
			}
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
		v.Close()
		lines = append(lines, line)
	}
	slices.Sort(lines)
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	return b.String()
}

// TestMain lets the test's program be an import that can be killed.
func TestMain(m *testing.M) {
	dump, dir := os.Getenv("IMPORT_DUMP"), os.Getenv("IMPORT_DB")
	if dump == "" {
		os.Exit(m.Run())
	}
	db, err := engine.Open(dir, nil)
	if err == nil {
		var src Source
		if src, err = OpenDump(dump); err == nil {
			_, err = Run(context.Background(), src, db, samples.New(db, nil), Options{Progress: func(what string, done, _ int64) {
				fmt.Println(what, done)
				time.Sleep(time.Millisecond) // so that there is something to interrupt
			}})
		}
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// TestKilledImport kills imports and runs them again until one ends: the database is that of an import that was left alone.
func TestKilledImport(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	dump := t.TempDir()
	writeFile(t, filepath.Join(dump, "meter.bson"), false, bytes.Join(cloud(t, 20_000), nil))
	writeFile(t, filepath.Join(dump, "event.bson"), false, bytes.Join(eventDocs(t, 2000), nil))
	quiet, store := openStore(t, t.TempDir())
	want := importAll(t, dump, quiet, store, Options{})
	dir := t.TempDir()
	killed := 0
	for {
		if ended := importUntil(t, dump, dir, 5+r.IntN(14)); ended {
			break
		}
		killed++
	}
	db, store := openStore(t, dir)
	got := importAll(t, dump, db, store, Options{}) // verifies
	if contents(t, db) != contents(t, quiet) || got.Samples != want.Samples || fmt.Sprint(got.Rejected) != fmt.Sprint(want.Rejected) {
		t.Errorf("killed %d times: another store, or another report: %+v, want %+v", killed, got, want)
	}
	if n := len(eventIDs(t, db)); n != 2000 {
		t.Errorf("%d events of 2000", n)
	}
	if killed == 0 {
		t.Error("no import was killed")
	}
	t.Logf("killed %d times", killed)
}

// importUntil runs an import and kills it after so many steps. ended: it came to its end.
func importUntil(t *testing.T, dump, dir string, steps int) (ended bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "IMPORT_DUMP="+dump, "IMPORT_DB="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1)
	for lines := 0; lines < steps; {
		if _, err := out.Read(buf); err != nil {
			break
		}
		if buf[0] == '\n' {
			lines++
		}
	}
	kill := cmd.Process.Kill()
	if _, err := io.Copy(io.Discard, out); err != nil && kill == nil && !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if err == nil {
		return true
	}
	if cmd.ProcessState.Exited() {
		t.Fatalf("import: %v: %s", err, stderr.String())
	}
	return false
}

func eventIDs(t *testing.T, db *engine.DB) (ids []string) {
	t.Helper()
	for e, err := range db.Events(context.Background(), engine.EventQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.MessageID)
	}
	return ids
}
