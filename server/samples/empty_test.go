package samples

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/engine"
)

// TestEmptyMetadata has a resource of a type that metadata describe get a sample without any.
func TestEmptyMetadata(t *testing.T) {
	db, err := engine.Open("db", &engine.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := New(db, nil)
	x := Sample{Meter: "memory.usage", Type: "gauge", ResourceID: "vm", Source: "openstack", Time: 1e18, Volume: 1,
		Metadata: []byte(`{"display_name": "web", "flavor_id": "f", "flavor_name": "m1"}`)}
	for i, metadata := range [][]byte{x.Metadata, nil, {}, []byte("{}"), x.Metadata, nil} {
		x.Time++
		x.Metadata = metadata
		if _, err := s.Write(t.Context(), []Sample{x}); err != nil {
			t.Errorf("sample %d, with metadata %q: %v", i, metadata, err)
		}
	}
	r, err := db.Resource(s.ResourceUUID("vm"))
	if err != nil || r.Type != "instance" || r.Attributes["display_name"].Str != "web" {
		t.Errorf("%+v, %v", r, err)
	}
}
