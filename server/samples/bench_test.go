package samples

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/telemetrydb/tsdb/engine"
)

// novaMetadata is what nova says about an instance, in its size; state is what changes.
func novaMetadata(resource, state int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{"display_name":"vm-%d","host":"compute-%d","status":"active","state":%d,"instance_type":"m1.medium"`, resource, resource%7, state)
	for i := range 26 {
		fmt.Fprintf(&b, `,"attribute_%d":"%x-%x-value-of-%d"`, i, resource*7919+i, resource*104729, i)
	}
	fmt.Fprintf(&b, `,"flavor":{"id":"2","name":"m1.medium","vcpus":2,"ram":4096,"disk":40,"ephemeral":0},"vcpus":2,"memory_mb":4096}`)
	return []byte(b.String())
}

// second is the samples of the founding measurement's second: 70 meters of four resources of a client.
func second(client, n int) []Sample {
	project, user := "7d2bc6e0d4f14a2d9d6e2d0d5a6e7f80", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
	var out []Sample
	for r, meters := range []int{30, 30, 5, 5} {
		meta := novaMetadata(4*client+r, (n+137*r)/600)
		for m := range meters {
			out = append(out, Sample{Meter: fmt.Sprint("meter.", m), Type: []string{"gauge", "cumulative"}[m%2], Unit: []string{"%", "B", "packet"}[m%3],
				Volume: float64(n*m) + 0.25, ResourceID: fmt.Sprintf("4c1a7e0e-0000-4000-8000-%012d", 4*client+r), UserID: &user, ProjectID: &project,
				Source: "openstack", Time: 1_700_000_000e9 + int64(n)*1e9, Metadata: meta})
		}
	}
	return out
}

// BenchmarkWrite is clients that write 70 samples at a time, with metadata of 1.4 kB that change every ten minutes. What is timed is making
// the samples, too: the metadata come in another place of memory each time, as they do from a network.
//
//	go test -run xxx -bench Write -benchtime 3s ./server/samples
func BenchmarkWrite(b *testing.B) {
	for _, bc := range []struct {
		sync    engine.SyncMode
		name    string
		clients int
	}{{engine.SyncInterval, "interval", 1}, {engine.SyncAlways, "always", 1}, {engine.SyncAlways, "always", 16}} {
		b.Run(fmt.Sprintf("sync=%s/clients=%d", bc.name, bc.clients), func(b *testing.B) {
			db, err := engine.Open(b.TempDir(), &engine.Options{Sync: bc.sync})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			s, ctx := New(db, nil), context.Background()
			b.ReportAllocs()
			b.ResetTimer()
			var batches atomic.Int64
			var wg sync.WaitGroup
			for client := range bc.clients {
				wg.Go(func() {
					for n := 0; batches.Add(1) <= int64(b.N); n++ {
						if _, err := s.Write(ctx, second(client, n)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(70*b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}
