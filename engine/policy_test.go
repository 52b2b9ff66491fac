package engine

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

func TestMatchPattern(t *testing.T) {
	for _, tc := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true},
		{"*", "a.b/c\nd", true},
		{"", "", true},
		{"", "a", false},
		{"disk.*", "disk.", true},
		{"disk.*", "disk", false},
		{"disk.*.io", "disk.a.b.io", true},
		{"d?sk", "disk", true},
		{"d?sk", "dsk", false},
		{"?", "é", true},
		{"[ab]x", "bx", true},
		{"[ab]x", "cx", false},
		{"[a-c]", "b", true},
		{"[a-c]", "d", false},
		{"[!a-c]", "d", true},
		{"[!a-c]", "b", false},
		{"[]]", "]", true},
		{"[!]]", "]", false},
		{"[!]]", "a", true},
		{"[]a]", "a", true},
		{"[", "[", true},
		{"[abc", "[abc", true},
		{"[!]", "[!]", true},
		{"[a-]", "-", true},
		{"[-a]", "-", true},
		{"[c-a]", "b", false},
		{"[!c-a]", "b", true},
		{"[*]", "*", true},
		{"[*]", "x", false},
		{"[α-ω]*", "π=3", true},
		{`\*`, `\x`, true}, // a backslash is itself
		{"CPU", "cpu", false},
		{"a\x00*", "a\x00b", true},
		{"*a*b", "xaxbxb", true},
		{strings.Repeat("*a", 30) + "*b", strings.Repeat("a", 3000), false}, // at once, not after years
	} {
		if got := matchPattern(tc.pattern, tc.name); got != tc.want {
			t.Errorf("matchPattern(%q, %.20q) = %v", tc.pattern, tc.name, got)
		}
	}
}

func openMem(t testing.TB) *DB {
	t.Helper()
	db, err := Open("db", &Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestInvalidPolicies(t *testing.T) {
	db := openMem(t)
	for _, tc := range []struct {
		name   string
		change func(p *ArchivePolicy)
	}{
		{"no name", func(p *ArchivePolicy) { p.Name = "" }},
		{"long name", func(p *ArchivePolicy) { p.Name = strings.Repeat("é", 256) }},
		{"name not UTF-8", func(p *ArchivePolicy) { p.Name = "\xff" }},
		{"negative back window", func(p *ArchivePolicy) { p.BackWindow = -1 }},
		{"endless back window", func(p *ArchivePolicy) { p.BackWindow = math.MaxInt64 / int(time.Second) }},
		{"negative raw", func(p *ArchivePolicy) { p.Raw = -2 }},
		{"no definition", func(p *ArchivePolicy) { p.Definition = nil }},
		{"no width", func(p *ArchivePolicy) { p.Definition[0].Width = 0 }},
		{"negative width", func(p *ArchivePolicy) { p.Definition[0].Width = -time.Second }},
		{"negative points", func(p *ArchivePolicy) { p.Definition[0].Points = -1 }},
		{"points overflow", func(p *ArchivePolicy) { p.Definition[0].Points = math.MaxInt64 / 2 }},
		{"timespan differs", func(p *ArchivePolicy) { p.Definition[1].Timespan++ }},
		{"timespan without points", func(p *ArchivePolicy) { p.Definition[0].Timespan = time.Hour }},
		{"same width", func(p *ArchivePolicy) { p.Definition[0].Width = time.Second }},
		{"no method", func(p *ArchivePolicy) { p.Methods = nil }},
		{"unknown method", func(p *ArchivePolicy) { p.Methods = append(p.Methods, 77) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := samplePolicy()
			tc.change(&p)
			err := db.Update(context.Background(), func(tx *Tx) error { return tx.CreateArchivePolicy(p) })
			var e *Error
			if !errors.Is(err, ErrInvalid) || !errors.As(err, &e) || e.Kind != KindArchivePolicy || e.Detail == "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPolicyUpdates(t *testing.T) {
	db := openMem(t)
	ctx := context.Background()
	p := samplePolicy()
	p.Methods = []rollup.Method{rollup.Sum, rollup.Mean, rollup.Sum}
	var m Metric
	if err := db.Update(ctx, func(tx *Tx) (err error) {
		if err = tx.CreateArchivePolicy(p); err == nil {
			m, err = tx.CreateMetric(Metric{Policy: p.Name})
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	state, err := db.cat.metricState(m.Ref)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := db.ArchivePolicy("high"); len(got.Methods) != 2 || got.Methods[0] != rollup.Mean {
		t.Errorf("methods %v, want them ascending and once", got.Methods)
	}
	update := func(def ...Granularity) error {
		return db.Update(ctx, func(tx *Tx) error { _, err := tx.UpdateArchivePolicy("high", def, nil); return err })
	}
	second, minute := Granularity{time.Second, 7200, 2 * time.Hour}, Granularity{time.Minute, 10, 10 * time.Minute}
	for _, tc := range []struct {
		name   string
		def    []Granularity
		detail string
	}{
		{"dropped", []Granularity{second}, "Cannot add or drop granularities"},
		{"added", []Granularity{second, minute, {time.Hour, 1, time.Hour}}, "Cannot add or drop granularities"},
		{"changed", []Granularity{minute, {2 * time.Second, 1, 2 * time.Second}}, "1.0 granularity interval was changed"},
	} {
		var e *Error
		if err := update(tc.def...); !errors.Is(err, ErrUnsupported) || !errors.As(err, &e) || e.Detail != tc.detail {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if err := update(second, minute); err != nil {
		t.Fatal(err)
	}
	if keep := state.plan().keep; keep[0] != int64(2*time.Hour) || keep[1] != int64(10*time.Minute) {
		t.Errorf("a state from before the update keeps %v", keep)
	}
}

func TestInvalidMetricsAndResources(t *testing.T) {
	db := openMem(t)
	ctx := context.Background()
	id := UUID{15: 1}
	if err := db.Update(ctx, func(tx *Tx) error {
		return errors.Join(tx.CreateArchivePolicy(samplePolicy()), tx.CreateResource(&Resource{ID: id, Type: "generic"}))
	}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		m    Metric
		want error
	}{
		{"slash", Metric{Name: ptr("a/b"), Policy: "high"}, ErrInvalid},
		{"long name", Metric{Name: ptr(strings.Repeat("é", 256)), Policy: "high"}, ErrInvalid},
		{"longest name", Metric{Name: ptr(strings.Repeat("é", 255)), Policy: "high"}, nil},
		{"not UTF-8", Metric{Name: ptr("\xff"), Policy: "high"}, ErrInvalid},
		{"NUL", Metric{Name: ptr("a\x00b"), Unit: ptr("\x00"), Policy: "high"}, nil},
		{"long unit", Metric{Unit: ptr(strings.Repeat("é", 32)), Policy: "high"}, ErrInvalid},
		{"longest unit", Metric{Unit: ptr(strings.Repeat("é", 31)), Policy: "high"}, nil},
		{"no policy", Metric{}, ErrNotFound},
		{"resource without name", Metric{Policy: "high", Resource: &id}, ErrInvalid},
		{"no such resource", Metric{Name: ptr("cpu"), Policy: "high", Resource: &UUID{15: 2}}, ErrNotFound},
	} {
		err := db.Update(ctx, func(tx *Tx) error { _, err := tx.CreateMetric(tc.m); return err })
		if tc.want == nil && err != nil || !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, err, tc.want)
		}
	}
	for name, r := range map[string]Resource{
		"no type":        {},
		"not UTF-8":      {Type: "generic", OriginalID: "\xff"},
		"long attribute": {Type: "generic", Attributes: map[string]index.Value{"a": textValue(strings.Repeat("x", 64<<10+1))}},
		"reserved":       {Type: "generic", Attributes: map[string]index.Value{"project_id": textValue("x")}},
		"unknown kind":   {Type: "generic", Attributes: map[string]index.Value{"a": {Kind: 9}}},
	} {
		if err := db.Update(ctx, func(tx *Tx) error { return tx.CreateResource(&r) }); !errors.Is(err, ErrInvalid) {
			t.Errorf("resource with %s: %v", name, err)
		}
	}
	for _, q := range []Query{{Sort: []SortKey{{Field: "project_id"}}}, {Filter: &index.Filter{Op: index.Eq, Field: "nope"}}} {
		if _, err := db.Metrics(ctx, q); !errors.Is(err, ErrInvalid) {
			t.Errorf("metrics %+v: %v", q, err)
		}
	}
	if _, err := db.Resources(ctx, Query{Marker: &UUID{15: 9}}); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown marker: %v", err)
	}
}

// TestTimesBeyondNanoseconds: dates that int64 nanoseconds cannot hold are kept as they are and found by ranges.
func TestTimesBeyondNanoseconds(t *testing.T) {
	db := openMem(t)
	ctx := context.Background()
	end := time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	r := &Resource{ID: UUID{15: 1}, Type: "generic", StartedAt: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), EndedAt: &end}
	if err := db.Update(ctx, func(tx *Tx) error { return tx.CreateResource(r) }); err != nil {
		t.Fatal(err)
	}
	got, err := db.Resources(ctx, Query{Filter: &index.Filter{Op: index.Gt, Field: fieldEnded, Value: timeValue(time.Now())}})
	if err != nil || len(got) != 1 || !got[0].EndedAt.Equal(end) || !got[0].StartedAt.Equal(r.StartedAt) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestPanicInUpdate: the database goes on, without what the transaction did.
func TestPanicInUpdate(t *testing.T) {
	db := openMem(t)
	func() {
		defer func() { _ = recover() }()
		_ = db.Update(context.Background(), func(tx *Tx) error {
			if err := tx.CreateResource(&Resource{Type: "generic"}); err != nil {
				t.Error(err)
			}
			panic("the caller's own")
		})
	}()
	if err := db.Update(context.Background(), func(tx *Tx) error { return nil }); err != nil || db.CountResources() != 0 {
		t.Errorf("%v, %d resources", err, db.CountResources())
	}
}
