package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/index"
)

// cloudEvents makes events as a cloud's services send them: a fifth about images and volumes, the rest about instances, with the traits that
// Ceilometer's definitions take from them. Fixed seed.
func cloudEvents(n int, perDay int64) []Event {
	r := rand.New(rand.NewPCG(7, 7))
	ids := func(n int, dashes bool) []string {
		out := make([]string, n)
		for i := range out {
			if out[i] = NewUUID().String(); !dashes {
				_, packed := packText(out[i])
				out[i] = unpackText(textHex, packed)
			}
		}
		return out
	}
	projects, users, instances := ids(40, false), ids(80, false), ids(3000, true)
	types := []string{"compute.instance.update", "compute.instance.exists", "compute.instance.create.start", "compute.instance.create.end", "image.update", "volume.create.end"}
	text := func(name, v string) Trait { return Trait{Name: name, Kind: TraitText, Text: v} }
	number := func(name string, v int64) Trait { return Trait{Name: name, Kind: TraitInt, Int: v} }
	out := make([]Event, n)
	for i := range out {
		at := 1.7e18 + int64(i)*dayNanos/perDay + r.Int64N(1e9)/1000*1000
		vm, project := r.IntN(len(instances)), r.IntN(len(projects))
		out[i] = Event{MessageID: NewUUID().String(), Type: types[r.IntN(len(types))], Generated: at, Traits: []Trait{
			text("service", fmt.Sprint("compute.host", vm%50)), text("request_id", "req-"+NewUUID().String()), text("project_id", projects[project]),
			text("tenant_id", projects[project]), text("user_id", users[r.IntN(len(users))]), text("instance_id", instances[vm]), text("host", fmt.Sprint("host", vm%50)),
			text("display_name", fmt.Sprint("vm-", vm)), text("instance_type", fmt.Sprint("m1.", vm%5)), text("state", []string{"active", "building", "deleted"}[r.IntN(3)]),
			number("memory_mb", 512<<(vm%5)), number("disk_gb", 20), number("vcpus", 1+int64(vm%8)), number("root_gb", 20), number("ephemeral_gb", 0),
			{Name: "launched_at", Kind: TraitTime, Int: at - int64(vm)*1e12}}}
	}
	return out
}

// BenchmarkAppendEvents: go test -run none -bench AppendEvents -benchtime 100000x ./engine. An iteration is an event.
func BenchmarkAppendEvents(b *testing.B) {
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			dir := b.TempDir()
			db, err := Open(dir, &Options{Sync: SyncInterval})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			events := cloudEvents(b.N, 50_000)
			b.ResetTimer()
			for i := 0; i < len(events); i += batch {
				if _, err := db.AppendEvents(context.Background(), events[i:min(i+batch, len(events))]); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			if err := db.Compact(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(db.Stats().DiskBytes)/float64(b.N), "bytes/event")
		})
	}
}

// BenchmarkQueryEvents: go test -run none -bench QueryEvents ./engine. 200,000 events of four days.
func BenchmarkQueryEvents(b *testing.B) {
	db, err := Open("db", &Options{FS: vfs.NewMem(), Sync: SyncInterval})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	events := cloudEvents(200_000, 50_000)
	for i := 0; i < len(events); i += 1000 {
		if _, err := db.AppendEvents(context.Background(), events[i:i+1000]); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Compact(context.Background()); err != nil {
		b.Fatal(err)
	}
	trait := func(i int, op index.Op) []TraitFilter { return []TraitFilter{{Op: op, Trait: events[1234].Traits[i]}} }
	from := events[150_000].Generated
	for _, bc := range []struct {
		name string
		q    EventQuery
	}{
		{"first", EventQuery{Limit: 100}},
		{"newest", EventQuery{Limit: 100, Order: EventOrder{Desc: true}}},
		{"instance", EventQuery{Traits: trait(5, index.Eq)}},
		{"request", EventQuery{Traits: trait(1, index.Eq)}},
		{"project", EventQuery{Traits: trait(2, index.Eq), Limit: 100}},
		{"memory", EventQuery{Traits: trait(10, index.Gt), Type: "image.update", From: &from, Limit: 100}},
		{"id", EventQuery{Order: EventOrder{ByID: true}, Limit: 100}},
		{"marker", EventQuery{After: events[120_000].MessageID, Limit: 100}},
	} {
		b.Run("query="+bc.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				n = 0
				for _, err := range db.Events(context.Background(), bc.q) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
			}
			b.ReportMetric(float64(n), "events")
		})
	}
	start := time.Now()
	if _, err := db.EventTypes(); err != nil {
		b.Fatal(err)
	}
	b.Logf("types: %v", time.Since(start))
}
