package samples

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// attributeTexts shows attributes for comparison.
func attributeTexts(r *engine.Resource) map[string]string {
	out := map[string]string{}
	for name, v := range r.Attributes {
		switch v.Kind {
		case index.Time:
			out[name] = time.Unix(0, v.Time).UTC().Format(time.RFC3339Nano)
		default:
			out[name] = v.Str
		}
	}
	return out
}

func TestResourceTypes(t *testing.T) {
	const nova = `{"display_name":"vm","flavor":{"id":"2","name":"m1"},"host":"h1","instance_host":"h2","image_ref":null,
		"launched_at":"2026-01-02 03:04:05+00:00","created_at":"2026-01-02T03:04:05Z","deleted_at":"","user_metadata":{"server_group":"g"}}`
	vm := map[string]string{"display_name": "vm", "flavor_id": "2", "flavor_name": "m1", "host": "h2", "server_group": "g",
		"launched_at": "2026-01-02T03:04:05Z", "created_at": "2026-01-02T03:04:05Z"}
	id := engine.NewUUID()
	for _, tc := range []struct {
		name, meter, metadata, typ string
		want                       map[string]string
	}{
		{"nova", "cpu", nova, "instance", vm},
		{"a path before another", "memory", `{"display_name":"vm","instance_flavor_id":"1","flavor":{"id":"2"},"flavor_name":"x","instance_type":"y"}`,
			"instance", map[string]string{"display_name": "vm", "flavor_id": "1", "flavor_name": "y"}},
		{"without what the type requires", "cpu", `{"display_name":"vm"}`, "generic", map[string]string{}},
		{"no metadata", "cpu", "", "generic", map[string]string{}},
		{"a meter that nobody knows", "cpu_utility", nova, "generic", map[string]string{}},
		{"an interface", "network.incoming.bytes", `{"vnic_name":"tap","instance_id":"` + id.String() + `"}`, "instance_network_interface",
			map[string]string{"name": "tap", "instance_id": string(id[:])}},
		{"an interface of nothing", "network.incoming.bytes", `{"vnic_name":"tap","instance_id":"vm"}`, "generic", map[string]string{}},
		{"nothing required", "volume.size", `{"display_name":5,"image_id":7}`, "volume", map[string]string{}},
		{"a renamed one", "dns.zone.ttl", `{"name":"example.org.","type":"PRIMARY"}`, "dns_zone", map[string]string{"zone_name": "example.org.", "zone_type": "PRIMARY"}},
		{"no attributes", "stack.create", `{"name":"s"}`, "stack", map[string]string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := openDB(t)
			s := New(db, nil)
			x := oneSample()
			x.Meter, x.Metadata = tc.meter, []byte(tc.metadata)
			put(t, s, x)
			r, err := db.Resource(s.ResourceUUID(x.ResourceID))
			if err != nil || r.Type != tc.typ {
				t.Fatalf("%+v, %v", r, err)
			}
			got := attributeTexts(r)
			if len(got) != len(tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
			for name, v := range tc.want {
				if got[name] != v {
					t.Errorf("%s is %q, want %q", name, got[name], v)
				}
			}
		})
	}
}

func TestAttributesFollow(t *testing.T) {
	db := openDB(t)
	s := New(db, nil)
	x := oneSample()
	x.Meter = "cpu"
	for i, tc := range []struct {
		metadata, host string
		revisions      int
	}{
		{`{"display_name":"vm","flavor_id":"1","flavor_name":"f","host":"a"}`, "a", 0},
		{`{"display_name":"vm","flavor_id":"1","flavor_name":"f","host":"a"}`, "a", 0},
		{`{"display_name":"vm","flavor_id":"1","flavor_name":"f","host":"a","state":"x"}`, "a", 0},
		{`{"display_name":"vm","flavor_id":"1","flavor_name":"f","host":"b"}`, "b", 1},
		{`{"display_name":"vm","flavor_id":"1","flavor_name":"f"}`, "b", 1},
		{`{}`, "b", 1},
		{`{"host":"c"}`, "c", 2},
	} {
		x.Time += 1e9
		x.Metadata = []byte(tc.metadata)
		other := x
		other.Meter, other.Metadata = "unknown", []byte(`{"host":"z"}`)
		put(t, s, x, other)
		r, err := db.Resource(s.ResourceUUID("vm-1"))
		if err != nil || r.Type != "instance" || r.Attributes["host"].Str != tc.host || r.Attributes["display_name"].Str != "vm" || db.CountRevisions() != tc.revisions {
			t.Errorf("%d: %+v, %d revisions, %v", i, r, db.CountRevisions(), err)
		}
	}
}

func TestPolicies(t *testing.T) {
	db, ctx := openDB(t), context.Background()
	err := db.Update(ctx, func(tx *engine.Tx) error {
		p := engine.ArchivePolicy{Name: "own", Definition: []engine.Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}}
		if err := tx.CreateArchivePolicy(p); err != nil {
			return err
		}
		if err := tx.CreateRule(engine.Rule{Name: "all", Pattern: "*", Policy: "own"}); err != nil {
			return err
		}
		return tx.CreateRule(engine.Rule{Name: "memory", Pattern: "memory*", Policy: "own"})
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, tc := range []struct {
		meter, want string
		o           Options
	}{
		{"cpu", RatePolicyName, Options{Keep: 48 * time.Hour}},
		{"cpu_util", PolicyName, Options{}},
		{"memory.usage", "own", Options{}},
		{"cpu", "own", Options{ArchivePolicy: "own"}},
	} {
		s, x := New(db, &tc.o), oneSample()
		x.Meter, x.ResourceID = tc.meter, engine.NewUUID().String()
		put(t, s, x)
		ref, err := db.ResourceMetric(s.ResourceUUID(x.ResourceID), tc.meter)
		if err != nil {
			t.Fatal(err)
		}
		m, err := db.MetricByRef(ref.Ref)
		if err != nil || m.Policy != tc.want || *m.Unit != "%" {
			t.Errorf("%d: %+v, %v", i, m, err)
		}
	}
	rate, err := db.ArchivePolicy(RatePolicyName)
	if err != nil || !rate.KeepAll || rate.Raw != 48*time.Hour || !slices.Contains(rate.Methods, rollup.Mean.OfRate()) {
		t.Errorf("%+v, %v", rate, err)
	}
	if p, err := db.ArchivePolicy(PolicyName); err != nil || !p.KeepAll || p.Raw != engine.RawForever {
		t.Errorf("%+v, %v", p, err)
	}
}
