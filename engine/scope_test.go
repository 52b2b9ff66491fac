package engine

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// TestScope has a project own every k-th resource and asks for its metrics, page by page: the same whether resources or metrics
// are looked at.
func TestScope(t *testing.T) {
	db, err := Open("db", &Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	text := func(field, value string) *index.Filter {
		return &index.Filter{Op: index.Eq, Field: field, Value: index.Value{Kind: index.Bytes, Str: value}}
	}
	const resources, perResource = 300, 2
	want := map[string][]UUID{}
	err = db.Update(t.Context(), func(tx *Tx) error {
		if err := tx.CreateArchivePolicy(ArchivePolicy{Name: "low", Methods: []rollup.Method{rollup.Mean}, Definition: []Granularity{{Width: time.Minute}}}); err != nil {
			return err
		}
		for i := range resources {
			owner := []string{"many", "many", "many", "some"}[i%4]
			if i == 77 {
				owner = "one"
			}
			r := &Resource{ID: UUIDv5(UUID{}, fmt.Sprint(i)), OriginalID: fmt.Sprint(i), Type: "generic", ProjectID: &owner}
			if err := tx.CreateResource(r); err != nil {
				return err
			}
			for j := range perResource {
				name, creator := fmt.Sprint("m", j), "maker:of "+fmt.Sprint(i%50)
				m, err := tx.CreateMetric(Metric{Name: &name, Creator: &creator, Policy: "low", Resource: &r.ID})
				if err != nil {
					return err
				}
				want[owner] = append(want[owner], m.ID)
				if i%50 == 3 && owner != "one" {
					want["one"] = append(want["one"], m.ID) // by its creator
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for owner, ids := range want {
		slices.SortFunc(ids, func(a, b UUID) int { return slices.Compare(a[:], b[:]) })
		for _, limit := range []int{0, 1, 7, 100, 1000} {
			q := Query{Limit: limit, Scope: &Scope{OfResource: text("project_id", owner)}}
			if owner == "one" {
				q.Scope.Own = text("creator", "maker:of 3")
			}
			var got []UUID
			for {
				page, err := db.Metrics(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range page {
					got = append(got, m.ID)
				}
				if len(page) < limit || limit == 0 {
					break
				}
				q.Marker = &got[len(got)-1]
			}
			if !slices.Equal(got, ids) {
				t.Errorf("%s, pages of %d: %d metrics, want %d", owner, limit, len(got), len(ids))
			}
		}
	}
	if page, err := db.Metrics(t.Context(), Query{Scope: &Scope{}}); err != nil || len(page) > 0 {
		t.Errorf("an empty scope: %v %v", page, err)
	}
}
