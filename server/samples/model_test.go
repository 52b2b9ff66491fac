package samples

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/engine"
)

// modelResource is a resource as the specification has it.
type modelResource struct {
	user, project *string
	source        string
	meters        []engine.Meter
	newest        Sample
	first         int64
	samples       map[string][]string // of each meter, described, sorted
	revisions     int
}

func (m *modelResource) write(batch []Sample) {
	newest := batch[0]
	for _, x := range batch {
		if x.Time >= newest.Time {
			newest = x
		}
		if len(m.samples) == 0 || x.Time < m.first {
			m.first = x.Time
		}
		if len(m.samples) == 0 || x.Time >= m.newest.Time {
			m.newest = x
		}
		if k := (engine.Meter{Name: x.Meter, Type: x.Type, Unit: x.Unit}); !slices.Contains(m.meters, k) {
			m.meters = append(m.meters, k)
		}
		m.samples[x.Meter] = append(m.samples[x.Meter], describe(x))
	}
	if m.source != "" && !(sameText(m.user, newest.UserID) && sameText(m.project, newest.ProjectID)) {
		m.revisions++
	}
	m.user, m.project, m.source = newest.UserID, newest.ProjectID, newest.Source
}

func describe(x Sample) string {
	opt := func(s *string) string {
		if s == nil {
			return "null"
		}
		return *s
	}
	return fmt.Sprint(x.Time, x.Volume, x.Arrival, x.Type, x.Unit, opt(x.UserID), opt(x.ProjectID), x.Source, string(x.Metadata))
}

// TestModel writes random batches, and deletes and opens again, and compares all that can be read with a naive model.
func TestModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	fs, ctx := vfs.NewCrashableMem(), context.Background()
	var db *engine.DB
	var s *Store
	open := func() {
		var err error
		if db, err = engine.Open("db", &engine.Options{FS: fs, MemoryBytes: 8 << 20}); err != nil {
			t.Fatal(err)
		}
		s = New(db, nil)
	}
	open()
	defer func() { db.Close() }()
	model := map[string]*modelResource{}
	texts := []*string{nil, str("a"), str("b")}
	for n := range 150 {
		byResource := map[string][]Sample{}
		var batch []Sample
		metadata := map[string][]byte{}
		for range 1 + r.IntN(30) {
			x := Sample{Meter: fmt.Sprint("m", r.IntN(4)), Type: []string{"gauge", "delta"}[r.IntN(8)/7], Unit: []string{"%", "B"}[r.IntN(12)/11],
				Volume: float64(r.IntN(100)), ResourceID: fmt.Sprint("r", r.IntN(5)), UserID: texts[r.IntN(20)/9], ProjectID: texts[r.IntN(30)/14],
				Source: []string{"openstack", "other"}[r.IntN(9)/8], Time: 1e18 + int64(n)*60e9 + r.Int64N(5)*10e9, Arrival: 2e18 + int64(n)*1e9}
			if r.IntN(10) == 0 {
				x.Time -= r.Int64N(int64(n+1)) * 60e9
			}
			if metadata[x.ResourceID] == nil {
				metadata[x.ResourceID] = fmt.Appendf(nil, `{"n":%d}`, r.IntN(3)+n/20)
			}
			x.Metadata = metadata[x.ResourceID]
			batch = append(batch, x)
			byResource[x.ResourceID] = append(byResource[x.ResourceID], x)
		}
		if _, err := s.Write(ctx, batch); err != nil {
			t.Fatal(err)
		}
		for id, list := range byResource {
			if model[id] == nil {
				model[id] = &modelResource{samples: map[string][]string{}}
			}
			model[id].write(list)
		}
		switch r.IntN(20) {
		case 0:
			crashed := fs.CrashClone(vfs.CrashCloneCfg{})
			db.Close()
			fs = crashed
			open()
		case 1:
			id := fmt.Sprint("r", r.IntN(5))
			if model[id] != nil {
				delete(model, id)
				if err := db.Update(ctx, func(tx *engine.Tx) error { return tx.DeleteResource(s.ResourceUUID(id)) }); err != nil {
					t.Fatal(err)
				}
			}
		case 2:
			if err := db.Compact(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if n%15 == 14 {
			compareModel(t, s, model)
		}
	}
}

func compareModel(t *testing.T, s *Store, model map[string]*modelResource) {
	t.Helper()
	if n := s.db.CountResources(); n != len(model) {
		t.Fatalf("%d resources, want %d", n, len(model))
	}
	revisions := 0
	for id, want := range model {
		d, err := s.document(context.Background(), s.ResourceUUID(id))
		if err != nil {
			t.Fatal(err)
		}
		if !sameText(d.Resource.UserID, want.user) || !sameText(d.Resource.ProjectID, want.project) || d.Source != want.source || !d.Sampled ||
			d.First != want.first || d.Last != want.newest.Time || string(d.Newest.Metadata) != string(want.newest.Metadata) {
			t.Fatalf("%s: %+v %s, want %+v %s", id, d, d.Newest.Metadata, want, want.newest.Metadata)
		}
		if !reflect.DeepEqual(d.Meters, want.meters) {
			t.Fatalf("%s: %v, want %v", id, d.Meters, want.meters)
		}
		got := map[string][]string{}
		for name, m := range d.Resource.Metrics {
			got[name] = readAll(t, s, id, name, m.Ref)
		}
		for name, list := range want.samples {
			slices.Sort(list)
			if !slices.Equal(got[name], list) {
				t.Fatalf("%s %s: %d samples, want %d", id, name, len(got[name]), len(list))
			}
		}
		if len(got) != len(want.samples) {
			t.Fatalf("%s: meters %v", id, slices.Collect(maps.Keys(got)))
		}
		revisions += want.revisions
	}
	if n := s.db.CountRevisions(); n != revisions {
		t.Fatalf("%d revisions, want %d", n, revisions)
	}
}

func readAll(t *testing.T, s *Store, id, name string, ref engine.Ref) (all []string) {
	t.Helper()
	v, err := s.db.View(ref)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	r := v.Samples(context.Background(), ref, 0, math.MaxInt64, engine.SampleQuery{})
	for r.Next() {
		c := r.Columns()
		for i := range c.Times {
			x, err := s.db.Context(c.Contexts[i])
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, describe(Sample{Meter: name, Type: x.Type, Unit: x.Unit, Volume: c.Values[i], ResourceID: id, UserID: x.UserID,
				ProjectID: x.ProjectID, Source: x.Source, Time: c.Times[i], Arrival: c.Arrivals[i], Metadata: x.Metadata}))
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	slices.Sort(all)
	return all
}
