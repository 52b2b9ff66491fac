package samples

import (
	"context"
	"math"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/engine"
)

func TestWriteMakesWhatIsMissing(t *testing.T) {
	db, err := engine.Open("db", &engine.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, ctx, project := New(db, nil), context.Background(), "p1"
	x := Sample{Meter: "cpu_util", Type: "gauge", Unit: "%", Volume: 12.5, ResourceID: "vm/1", ProjectID: &project, Source: "openstack",
		Time: 1e18, Metadata: []byte(`{"host":"a"}`)}
	if _, err := s.Write(ctx, []Sample{x, x}); err != nil {
		t.Fatal(err)
	}
	m, err := db.ResourceMetric(s.ResourceUUID("vm_1"), "cpu_util")
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.View(m.Ref)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	r := v.Samples(ctx, m.Ref, 0, math.MaxInt64, engine.SampleQuery{})
	n := 0
	for r.Next() {
		n += len(r.Columns().Times)
	}
	if r.Err() != nil || n != 2 {
		t.Fatalf("%d samples, %v: want both", n, r.Err())
	}
}
