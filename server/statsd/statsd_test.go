package statsd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
	"github.com/telemetrydb/tsdb/server/ingest"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]line{
		"a.b:1|c":          {"a.b|c", 1, true},
		"a:3|c|@0.1":       {"a|c", 3 * (1 / 0.1), true},
		"a:-2.5|g":         {"a|g", -2.5, false},
		"a:+5|g":           {"a|g", 5, false},
		"a/b:320|ms":       {"a_b|ms", 320, false},
		"a:1e400|g":        {"a|g", math.Inf(1), false},
		"with blank: 7 |g": {"with blank|g", 7, false},
	} {
		if got, err := parse(in); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", in, got, err, want)
		}
	}
	for in, want := range map[string]error{
		"":                                errForm,
		"a":                               errForm,
		"a:1":                             errForm,
		"a|g":                             errForm,
		"a:1:2|g":                         errForm,
		"a:1|c|@1|x":                      errForm,
		":1|g":                            errName,
		"\xff:1|g":                        errName,
		"a:|g":                            errValue,
		"a:x|g":                           errValue,
		"a:0x10|g":                        errValue,
		"a:1|s":                           errType,
		"a:1|C":                           errType,
		"a:1|":                            errType,
		"a:1|c|@0":                        errSampling,
		"a:1|c|0.1":                       errSampling,
		"a:1|c|@x":                        errSampling,
		"a:1|c|":                          errSampling,
		"a:1|c|@-1":                       errSampling,
		"a:1|ms|@0.5":                     errSampling,
		"a:1|g|@1":                        errSampling,
		strings.Repeat("x", 254) + ":1|g": errName,
	} {
		if _, err := parse(in); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a.b:1|c", "a:3|c|@0.1", "a:320|ms", "a:-2.5|g"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		l, err := parse(in)
		if err == nil && (l.metric == "" || strings.Contains(l.metric, "/") || len(l.metric) > len(in)) {
			t.Errorf("%q: %+v", in, l)
		}
	})
}

func openDB(t *testing.T) *engine.DB {
	t.Helper()
	db, err := engine.Open("db", &engine.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	err = db.Update(context.Background(), func(tx *engine.Tx) error {
		seconds := engine.Granularity{Width: time.Second, Points: 60, Timespan: time.Minute}
		if err := tx.CreateArchivePolicy(engine.ArchivePolicy{Name: "p", Definition: []engine.Granularity{seconds},
			Methods: []rollup.Method{rollup.Mean}}); err != nil {
			return err
		}
		return tx.CreateRule(engine.Rule{Name: "r", Pattern: "a*", Policy: "p"})
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// values are the means of all metrics of the resource, by name.
func values(t *testing.T, db *engine.DB, id engine.UUID) map[string][]float64 {
	t.Helper()
	r, err := db.Resource(id)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]float64{}
	for name, m := range r.Metrics {
		view, err := db.View(m.Ref)
		if err != nil {
			t.Fatal(err)
		}
		points, err := view.Measures(context.Background(), m.Ref, time.Second, []rollup.Method{rollup.Mean}, math.MinInt64, math.MaxInt64)
		view.Close()
		if err != nil {
			t.Fatal(err)
		}
		all[name] = points[0].Values
	}
	return all
}

// refusals are the counts by reason.
func refusals(t *testing.T, r *ingest.Refused) map[string]int {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(r)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			all[m.GetLabel()[1].GetValue()] = int(m.GetCounter().GetValue())
		}
	}
	return all
}

func TestFlush(t *testing.T) {
	db, id, refused := openDB(t), engine.NewUUID(), ingest.NewRefused()
	now := time.Unix(1_700_000_000, 0)
	l, err := New(db, Options{ResourceID: id, Creator: "me", MaxMetrics: 4, Refused: refused, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	l.take("a:1|c\na:2|c|@0.5\n\na:7|g\r\na:9|g\nnonsense\na:5|ms\na:6|ms")
	l.take("b:1|c\nb:1|c\nc:1|g")
	l.flush(context.Background())
	now = now.Add(time.Second)
	l.take("a:3|c")
	l.flush(context.Background())
	l.flush(context.Background())
	want := map[string][]float64{"a|c": {5, 3}, "a|g": {9}, "a|ms": {6}}
	if got := values(t, db, id); !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := refusals(t, refused); !maps.Equal(got, map[string]int{"form": 1, "no policy": 2, "too many metrics": 1}) {
		t.Errorf("refused %v", got)
	}
	r, err := db.Resource(id)
	if err != nil || r.Type != "generic" || *r.Creator != "me" || r.OriginalID != id.String() {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestServe sends datagrams and stops: what came is stored at a flush and at the end.
func TestServe(t *testing.T) {
	db, id := openDB(t), engine.NewUUID()
	l, err := New(db, Options{ResourceID: id, ArchivePolicy: "p", FlushDelay: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- l.Serve(ctx, conn) }()
	client, err := net.Dial("udp", conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for deadline := time.Now().Add(10 * time.Second); db.Stats().Samples == 0; { // datagrams may be lost
		fmt.Fprint(client, "z:4|g\ny:1|c")
		time.Sleep(5 * time.Millisecond)
		if time.Now().After(deadline) {
			t.Fatal("nothing arrived")
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if got := values(t, db, id); len(got) != 2 || got["z|g"][0] != 4 {
		t.Errorf("got %v", got)
	}
	if err := l.Serve(context.Background(), conn); err == nil {
		t.Error("a closed connection was served")
	}
}

func TestOptions(t *testing.T) {
	_, err := New(nil, Options{FlushDelay: 1, MaxMetrics: -1})
	for _, name := range []string{"ResourceID", "FlushDelay", "MaxMetrics"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}
