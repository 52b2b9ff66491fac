package samples

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

func put(t *testing.T, s *Store, in ...Sample) {
	t.Helper()
	if _, err := s.Write(context.Background(), in); err != nil {
		t.Fatal(err)
	}
}

// TestDocument writes batches and looks at what the resource is after each.
func TestDocument(t *testing.T) {
	db := openDB(t)
	s, ctx := New(db, nil), context.Background()
	id := s.ResourceUUID("vm-1")
	if _, err := s.document(ctx, id); !errors.Is(err, engine.ErrNotFound) {
		t.Fatal(err)
	}
	at := func(seconds int64, change func(x *Sample)) Sample {
		x := oneSample()
		x.Time += seconds * 1e9
		x.Arrival = x.Time
		if change != nil {
			change(&x)
		}
		return x
	}
	const util, cpu = "cpu_util gauge %", "cpu cumulative ns"
	steps := []struct {
		name        string
		in          []Sample
		meters      string
		user        string
		source      string
		metadata    string
		first, last int64
		revisions   int
	}{
		{"one", []Sample{at(0, nil)}, fmt.Sprint([]string{util}), "u", "openstack", `{"a":1}`, 0, 0, 0},
		{"another meter, newer", []Sample{at(10, func(x *Sample) {
			x.Meter, x.Type, x.Unit, x.Metadata = "cpu", "cumulative", "ns", []byte(`{"a":2}`)
		})}, fmt.Sprint([]string{util, cpu}), "u", "openstack", `{"a":2}`, 0, 10, 0},
		{"late, of another owner", []Sample{at(-20, func(x *Sample) { x.UserID, x.Source, x.Metadata = str("v"), "s2", []byte(`{"a":3}`) })},
			fmt.Sprint([]string{util, cpu}), "v", "s2", `{"a":2}`, -20, 10, 1},
		{"the newest of the batch says who, whatever its place", []Sample{at(5, func(x *Sample) { x.UserID, x.Source = str("w"), "s3" }),
			at(3, func(x *Sample) { x.UserID = str("x") })}, fmt.Sprint([]string{util, cpu}), "w", "s3", `{"a":2}`, -20, 10, 2},
		{"at one time the last written counts", []Sample{at(10, func(x *Sample) {
			x.Arrival, x.Metadata, x.Unit = x.Arrival+1e9, []byte(`{"a":4}`), "percent"
		})}, fmt.Sprint([]string{util, cpu, "cpu_util gauge percent"}), "u", "openstack", `{"a":4}`, -20, 10, 3},
		{"the same again", []Sample{at(10, func(x *Sample) { x.Arrival, x.Metadata = x.Arrival+2e9, []byte(`{"a":4}`) })},
			fmt.Sprint([]string{util, cpu, "cpu_util gauge percent"}), "u", "openstack", `{"a":4}`, -20, 10, 3},
	}
	for _, st := range steps {
		put(t, s, st.in...)
		d, err := s.document(ctx, id)
		if err != nil {
			t.Fatal(st.name, err)
		}
		var meters []string
		for _, m := range d.Meters {
			meters = append(meters, m.Name+" "+m.Type+" "+m.Unit)
		}
		if fmt.Sprint(meters) != st.meters || *d.Resource.UserID != st.user || d.Source != st.source || string(d.Newest.Metadata) != st.metadata ||
			!d.Sampled || d.First != 1e18+st.first*1e9 || d.Last != 1e18+st.last*1e9 || db.CountRevisions() != st.revisions {
			t.Errorf("%s: %+v, %d revisions, meters %v, user %s", st.name, d, db.CountRevisions(), meters, *d.Resource.UserID)
		}
	}
	if err := db.Update(ctx, func(tx *engine.Tx) error { return tx.DeleteResource(id) }); err != nil {
		t.Fatal(err)
	}
	put(t, s, at(0, nil)) // a resource of that name begins anew
	d, err := s.document(ctx, id)
	if err != nil || len(d.Meters) != 1 || d.First != 1e18 {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestForeignMetrics looks at a resource that other doors made.
func TestForeignMetrics(t *testing.T) {
	db := openDB(t)
	s, ctx := New(db, nil), context.Background()
	id, image := engine.NewUUID(), engine.NewUUID()
	var refs []engine.Ref
	err := db.Update(ctx, func(tx *engine.Tx) error {
		minutes := []engine.Granularity{{Width: time.Minute}}
		for name, methods := range map[string][]rollup.Method{"plain": {rollup.Mean}, "rate": {rollup.Mean.OfRate()}} {
			p := engine.ArchivePolicy{Name: name, Definition: minutes, Methods: methods, Raw: engine.RawForever}
			if err := tx.CreateArchivePolicy(p); err != nil {
				return err
			}
		}
		if err := needType(tx, "volume"); err != nil {
			return err
		}
		err := tx.CreateResource(&engine.Resource{ID: id, OriginalID: id.String(), Type: "volume", ProjectID: str("p"), Attributes: map[string]index.Value{
			"display_name": {Kind: index.Bytes, Str: "v"}, "image_id": {Kind: index.Bytes, Str: string(image[:])}}})
		if err != nil {
			return err
		}
		for _, m := range []engine.Metric{{Name: str("z"), Unit: str("GB"), Policy: "plain"}, {Name: str("a"), Policy: "rate"}} {
			m.Resource = &id
			if m, err = tx.CreateMetric(m); err != nil {
				return err
			}
			refs = append(refs, m.Ref)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.document(ctx, id)
	if err != nil || d.Sampled || d.Source != "openstack" {
		t.Fatalf("%+v, %v", d, err)
	}
	if want := []engine.Meter{{Name: "z", Type: "gauge", Unit: "GB"}, {Name: "a", Type: "cumulative", Unit: ""}}; !reflect.DeepEqual(d.Meters, want) {
		t.Errorf("%+v", d.Meters)
	}
	var b engine.Batch
	b.Add(refs[0], 1e18, 1)
	b.Add(refs[1], 1e18+5, 1)
	if _, err := db.Append(ctx, &b); err != nil {
		t.Fatal(err)
	}
	d, err = s.document(ctx, id)
	metadata := fmt.Sprintf(`{"display_name":"v","image_id":"%v"}`, image)
	if err != nil || d.First != 1e18 || d.Last != 1e18+5 || d.Newest.Type != "cumulative" || *d.Newest.ProjectID != "p" || d.Newest.UserID != nil ||
		d.Newest.Source != "openstack" || string(d.Newest.Metadata) != metadata {
		t.Errorf("%+v, %s, %v", d, d.Newest.Metadata, err)
	}
	x := oneSample() // and now Ceilometer knows one of them, too
	x.ResourceID, x.Meter, x.Source = id.String(), "a", "s"
	put(t, s, x)
	r, err := db.Resource(id)
	if err != nil {
		t.Fatal(err)
	}
	meters, err := s.Meters(r, maps.All(r.Metrics))
	if want := []engine.Meter{{Name: "a", Type: "gauge", Unit: "%"}, {Name: "z", Type: "gauge", Unit: "GB"}}; err != nil || !reflect.DeepEqual(meters, want) {
		t.Errorf("%+v, %v", meters, err)
	}
}
