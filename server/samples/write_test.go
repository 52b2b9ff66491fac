package samples

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/engine"
)

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
	return db
}

func str(s string) *string { return &s }

func oneSample() Sample {
	return Sample{Meter: "cpu_util", Type: "gauge", Unit: "%", Volume: 12.5, ResourceID: "vm-1", UserID: str("u"), ProjectID: str("p"),
		Source: "openstack", Time: 1e18, Arrival: 1e18 + 5e6, Metadata: []byte(`{"a": 1}`)}
}

func TestWriteRefuses(t *testing.T) {
	db := openDB(t)
	s, ctx := New(db, &Options{KeepMessageIDs: true}), context.Background()
	long := strings.Repeat("x", 2000)
	for _, tc := range []struct {
		field, value, reason string
		change               func(x *Sample)
	}{
		{"counter_name", "", "is empty", func(x *Sample) { x.Meter = "" }},
		{"counter_name", "a/b", "has a slash", func(x *Sample) { x.Meter = "a/b" }},
		{"counter_name", long[:100] + "...", "is longer than 255 characters", func(x *Sample) { x.Meter = long }},
		{"counter_name", "\xff", "is not valid UTF-8", func(x *Sample) { x.Meter = "\xff" }},
		{"counter_type", "", "is none of gauge, delta and cumulative", func(x *Sample) { x.Type = "" }},
		{"counter_unit", long[:100] + "...", "is longer than 1024 characters", func(x *Sample) { x.Unit = long }},
		{"counter_volume", "NaN", "is not finite", func(x *Sample) { x.Volume = math.NaN() }},
		{"counter_volume", "-Inf", "is not finite", func(x *Sample) { x.Volume = math.Inf(-1) }},
		{"resource_id", long[:100] + "...", "is longer than 289 characters", func(x *Sample) { x.ResourceID = long }},
		{"source", long[:100] + "...", "is longer than 1024 characters", func(x *Sample) { x.Source = long }},
		{"user_id", long[:100] + "...", "is longer than 1024 characters", func(x *Sample) { x.UserID = &long }},
		{"project_id", "\xff", "is not valid UTF-8", func(x *Sample) { x.ProjectID = str("\xff") }},
		{"message_id", long[:100] + "...", "is longer than 255 characters", func(x *Sample) { x.MessageID = long }},
		{"timestamp", "before 1970", "is not of the years 1970 to 2261",
			func(x *Sample) { x.Time = Nanos(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)) }},
		{"timestamp", "after 2261", "is not of the years 1970 to 2261",
			func(x *Sample) { x.Time = Nanos(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)) }},
		{"timestamp", "1969-12-31T23:59:59.999999999Z", "is not of the years 1970 to 2261", func(x *Sample) { x.Time = -1 }},
		{"recorded_at", "after 2261", "is not of the years 1970 to 2261", func(x *Sample) { x.Arrival = math.MaxInt64 }},
		{"resource_metadata", "[]", "metadata is no JSON object: json: cannot unmarshal array into Go value of type map[string]interface {}",
			func(x *Sample) { x.Metadata = []byte("[]") }},
		{"resource_metadata", `{"a":1}{`, "metadata goes on after its end", func(x *Sample) { x.Metadata = []byte(`{"a":1}{`) }},
		{"resource_metadata", `{"a":"` + long[:94] + "...", "has 2000008 bytes, the most is 1048576",
			func(x *Sample) { x.Metadata = []byte(`{"a":"` + strings.Repeat(long, 1000) + `"}`) }},
	} {
		in := []Sample{oneSample(), oneSample(), oneSample()}
		in[0].ResourceID = "vm-0"
		tc.change(&in[1])
		ids, err := s.Write(ctx, in)
		var e *SampleError
		if !errors.As(err, &e) || !errors.Is(err, engine.ErrInvalid) || ids != nil || *e != (SampleError{1, tc.field, tc.value, tc.reason}) {
			t.Errorf("%s: %v", tc.field, err)
		}
	}
	if n := db.Stats().Samples; n != 0 {
		t.Errorf("%d samples are stored", n)
	}
	if ids, err := s.Write(ctx, nil); err != nil || len(ids) != 0 {
		t.Errorf("%v, %v", ids, err)
	}
}

func TestNanos(t *testing.T) {
	for _, tc := range []struct {
		in   time.Time
		want int64
	}{
		{time.Unix(0, 5), 5},
		{time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), math.MinInt64},
		{time.Date(2261, 12, 31, 23, 59, 59, 0, time.UTC), MaxTime - 1e9},
		{time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC), math.MaxInt64},
		{time.Time{}, math.MinInt64},
	} {
		if got := Nanos(tc.in); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.in, got, tc.want)
		}
	}
}

func TestIDsFindSamples(t *testing.T) {
	db := openDB(t)
	s, ctx := New(db, nil), context.Background()
	in := []Sample{oneSample(), oneSample(), oneSample(), oneSample(), oneSample()}
	in[1].Volume = 2
	in[2].Volume, in[2].Time = 3, in[2].Time-7e9 // late
	in[3].Volume, in[3].ResourceID = 4, "vm-2"
	in[4].Volume, in[4].Metadata = 5, []byte(`{"a":2}`)
	seen := map[string]bool{}
	for range 3 {
		ids, err := s.Write(ctx, in)
		if err != nil || len(ids) != len(in) {
			t.Fatal(ids, err)
		}
		for i, id := range ids {
			u, err := engine.ParseUUID(id)
			if err != nil || seen[id] {
				t.Fatal(id, err)
			}
			seen[id] = true
			got, err := db.SampleByID(ctx, u)
			if err != nil || got.Values[0] != in[i].Volume || got.Times[0] != in[i].Time || got.Arrivals[0] != in[i].Arrival {
				t.Fatalf("sample %d: %+v %v", i, got, err)
			}
			c, err := db.Context(got.Contexts[0])
			if want := []string{`{"a":1}`, `{"a":2}`}[i/4]; err != nil || string(c.Metadata) != want || c.Unit != "%" || *c.UserID != "u" {
				t.Fatalf("sample %d: %+v %v", i, c, err)
			}
		}
	}
}

// TestWriteTogether has many writers of the same new things, and one that deletes them.
func TestWriteTogether(t *testing.T) {
	db := openDB(t)
	s, ctx := New(db, nil), context.Background()
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 30 {
				var in []Sample
				for k := range 5 {
					x := oneSample()
					x.Meter, x.ResourceID, x.Time = fmt.Sprint("m", k%2), fmt.Sprint("vm-", k%3), int64(1e18+i)
					x.Metadata = fmt.Appendf(nil, `{"n": %d}`, i/10)
					in = append(in, x)
				}
				ids, err := s.Write(ctx, in)
				if err != nil || len(ids) != len(in) {
					t.Error(err)
				}
				if g == 0 && i%10 == 9 {
					err := db.Update(ctx, func(tx *engine.Tx) error { return tx.DeleteResource(s.ResourceUUID("vm-1")) })
					if err != nil && !errors.Is(err, engine.ErrNotFound) {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, k := range s.known.resources {
		for _, m := range k.meters {
			c, err := db.Context(m.context)
			if err != nil || m.context != 0 && c.Unit != m.spelled.Unit {
				t.Errorf("%+v: %v", m, err)
			}
		}
	}
}
