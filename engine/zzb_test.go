package engine

import (
	"context"
	"math"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/rollup"
)

func BenchmarkIngest(b *testing.B) {
	for _, c := range []struct {
		name   string
		series int
		step   int64
		ticks  int
	}{{"D1", 70, 1e9, 19800}, {"D2", 10000, 300e9, 500}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				pol := ArchivePolicy{Name: "p", Definition: []Granularity{{Width: 300 * time.Second}}, Methods: []rollup.Method{rollup.Mean}, Raw: RawForever}
				dir := b.TempDir()
				db, err := Open(dir, &Options{Sync: SyncInterval})
				if err != nil {
					b.Fatal(err)
				}
				err = db.Update(context.Background(), func(tx *Tx) error {
					err := tx.CreateArchivePolicy(pol)
					for range c.series {
						if err == nil {
							_, err = tx.CreateMetric(Metric{Policy: "p"}) // Refs are 1, 2, 3 …
						}
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
				val := make([]float64, c.series)
				rnd := rand.New(rand.NewPCG(1, 2))
				var bt Batch
				n := 0
				start := time.Now()
				for k := 0; k < c.ticks; k++ {
					for i := range val {
						switch i % 6 {
						case 0, 3:
							val[i] += float64(rnd.IntN(1e9))
						case 1:
							val[i] = math.Round(rnd.Float64()*1000) / 10
						case 2:
							val[i] = rnd.Float64()
						}
						t := int64(1767225600e9) + int64(k)*c.step
						if c.series > 100 && i%2 == 1 {
							t += rnd.Int64N(4001)*1e6 - 2000e6
						}
						bt.Add(Ref(i+1), t, val[i])
						if bt.Len() == 1000 {
							if _, err := db.Append(context.Background(), &bt); err != nil {
								b.Fatal(err)
							}
							bt.Reset()
						}
						n++
					}
				}
				el := time.Since(start)
				st := db.Stats()
				b.ReportMetric(float64(el.Nanoseconds())/float64(n), "ns/sample")
				b.Logf("%+v", st)
				t0 := time.Now()
				if err := db.Compact(context.Background()); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(time.Since(t0).Nanoseconds())/float64(n), "settle-ns/sample")
				b.Logf("%+v", db.Stats())
				if err := db.Close(); err != nil {
					b.Fatal(err)
				}
				out, _ := exec.Command("ls", "-la", dir).Output()
				b.Logf("%s", out)
			}
		})
	}
}
