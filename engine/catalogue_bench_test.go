package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// go test ./engine -run - -bench 'Catalogue/resources=1000$/'      a moment
// go test ./engine -run - -bench 'Catalogue/resources=100000$/'    100 k resources of 10 metrics: a minute
// go test ./engine -run - -bench 'Catalogue/resources=1000000$/'   1 M resources of 1 metric, for searches: minutes

func benchUUID(i int) UUID {
	var u UUID
	x := uint64(i) * 0x9e3779b97f4a7c15
	binary.BigEndian.PutUint64(u[:], x^x>>29)
	binary.BigEndian.PutUint64(u[8:], x*0xbf58476d1ce4e5b9)
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u
}

var benchNames = []string{"cpu", "cpu_util", "disk.read.bytes", "disk.write.bytes", "memory", "memory.usage",
	"network.incoming.bytes", "network.outgoing.bytes", "disk.iops", "vcpus"}

// benchResource is the i-th instance: 10 attributes, 4 of its own. Every project has 1,000.
func benchResource(i int) *Resource {
	text := func(format string, args ...any) *string { return ptr(fmt.Sprintf(format, args...)) }
	start := time.Unix(1767225600+int64(i)*7919%31536000, 0)
	r := &Resource{ID: benchUUID(i), Type: "instance", Creator: ptr("ceilometer:service"),
		UserID: text("user-%d", i%5000), ProjectID: text("project-%d", i/1000), StartedAt: start, RevisionStart: start,
		Attributes: map[string]index.Value{
			"host":         textValue(fmt.Sprintf("compute-%d", i%500)),
			"flavor_name":  textValue(fmt.Sprintf("m1.%d", i%12)),
			"image_ref":    textValue(fmt.Sprintf("image-%d", i%200)),
			"display_name": textValue(fmt.Sprintf("vm-%d", i)),
		}}
	r.OriginalID = r.ID.String()
	if i%5 == 0 {
		end := start.Add(time.Hour)
		r.EndedAt = &end
	}
	return r
}

func benchFill(b *testing.B, db *DB, resources, metrics int) {
	b.Helper()
	ctx := context.Background()
	err := db.Update(ctx, func(tx *Tx) error {
		t := ResourceType{Name: "instance"}
		for _, name := range []string{"host", "flavor_name", "image_ref", "display_name"} {
			t.Attributes = append(t.Attributes, Attribute{Name: name, Type: AttributeString, MaxLength: 255})
		}
		return errors.Join(tx.CreateResourceType(t),
			tx.CreateArchivePolicy(ArchivePolicy{Name: "low", Methods: []rollup.Method{rollup.Mean}, Definition: []Granularity{{Width: time.Minute}}}))
	})
	for i := 0; i < resources && err == nil; i += 100 {
		err = db.Update(ctx, func(tx *Tx) error {
			for j := i; j < min(i+100, resources); j++ {
				r := benchResource(j)
				if err := tx.CreateResource(r); err != nil {
					return err
				}
				for k := range metrics {
					m := Metric{Name: &benchNames[k], Unit: ptr("B"), Creator: r.Creator, Policy: "low", Resource: &r.ID}
					if _, err := tx.CreateMetric(m); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err != nil {
		b.Fatal(err)
	}
}

func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkCatalogue(b *testing.B) {
	for _, c := range []struct{ resources, metrics int }{{1000, 10}, {100_000, 10}, {1_000_000, 1}} {
		b.Run(fmt.Sprintf("resources=%d/metrics=%d", c.resources, c.resources*c.metrics), func(b *testing.B) {
			dir := b.TempDir()
			o := &Options{MemoryBytes: 256 << 20}
			db, err := Open(dir, o)
			if err != nil {
				b.Fatal(err)
			}
			before, start := heapBytes(), time.Now()
			benchFill(b, db, c.resources, c.metrics)
			fill := time.Since(start)
			b.Logf("filled in %v: %.1f us a metric; heap grew by %d MiB, caches and all", fill,
				fill.Seconds()*1e6/float64(c.resources*c.metrics), (int64(heapBytes())-int64(before))>>20)
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
			start = time.Now()
			if db, err = Open(dir, o); err != nil {
				b.Fatal(err)
			}
			b.Logf("opened in %v; %d bytes on disk", time.Since(start), db.Stats().DiskBytes)
			benchReads(b, db, c.resources)
			benchChanges(b, db, c.resources)
			b.Logf("index cache %d KiB, resources %d KiB", db.cat.ix.CacheBytes()>>10, db.cat.resources.bytes()>>10)
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func benchReads(b *testing.B, db *DB, resources int) {
	ctx := context.Background()
	eq := func(f, v string) *index.Filter { return &index.Filter{Op: index.Eq, Field: f, Value: textValue(v)} }
	not := func(f *index.Filter) *index.Filter { return &index.Filter{Op: index.Not, Subs: []*index.Filter{f}} }
	and := func(fs ...*index.Filter) *index.Filter { return &index.Filter{Op: index.And, Subs: fs} }
	or := func(fs ...*index.Filter) *index.Filter { return &index.Filter{Op: index.Or, Subs: fs} }
	alive := &index.Filter{Op: index.Eq, Field: fieldEnded}
	recent := &index.Filter{Op: index.Gt, Field: fieldStarted, Value: timeValue(time.Unix(1767225600+31000000, 0))}
	like := &index.Filter{Op: index.Like, Field: "display_name", Value: textValue("vm-99%")}

	for _, c := range []struct {
		name string
		f    *index.Filter
	}{
		{"eval=project", eq(fieldProject, "project-0")},
		{"eval=type", eq(fieldType, "instance")},
		{"eval=flavor_and_alive", and(eq("flavor_name", "m1.3"), alive)},
		{"eval=boolean", and(or(eq("flavor_name", "m1.3"), eq("flavor_name", "m1.4"), eq("host", "compute-7")), not(eq("image_ref", "image-3")), alive)},
		{"eval=project_and_started", and(eq(fieldProject, "project-0"), recent)},
		{"eval=started", recent},
		{"eval=like_prefix", like},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := uint64(0)
			for b.Loop() {
				s, err := db.cat.search(ctx, spaceResources)
				if err != nil {
					b.Fatal(err)
				}
				set, err := s.view.Eval(ctx, spaceResources, c.f)
				if err != nil {
					b.Fatal(err)
				}
				n = set.GetCardinality()
				s.close()
			}
			b.ReportMetric(float64(n), "found")
		})
	}
	for _, c := range []struct {
		name string
		q    Query
	}{
		{"page=all_by_default", Query{Sort: []SortKey{{Field: fieldRevisionStart}, {Field: fieldStarted}}, Limit: 1000}},
		{"page=all_by_id", Query{Limit: 1000}},
		{"page=flavor_by_started", Query{Filter: eq("flavor_name", "m1.3"), Sort: []SortKey{{Field: fieldStarted, Desc: true}}, Limit: 100}},
		{"page=project_by_default", Query{Filter: eq(fieldProject, "project-0"), Sort: []SortKey{{Field: fieldRevisionStart}, {Field: fieldStarted}}, Limit: 1000}},
		{"page=user_by_name", Query{Filter: eq(fieldUser, "user-3"), Sort: []SortKey{{Field: "display_name"}}, Limit: 1000}},
		{"page=image_by_host", Query{Filter: eq("image_ref", "image-3"), Sort: []SortKey{{Field: "host"}}, Limit: 100}},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				rs, err := db.Resources(ctx, c.q)
				if err != nil {
					b.Fatal(err)
				}
				n = len(rs)
			}
			b.ReportMetric(float64(n), "found")
		})
	}
	b.Run("names_of_project", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n = 0
			q := Query{Filter: and(eq(fieldProject, "project-0"), eq("flavor_name", "m1.3"))}
			err := db.EachResource(ctx, q, func(r ResourceRow) error {
				for range r.Metrics() {
					n++
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n), "found")
	})
	id := benchUUID(resources / 2)
	b.Run("resource_metric", func(b *testing.B) {
		for b.Loop() {
			if _, err := db.ResourceMetric(id, "cpu"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("metric_state", func(b *testing.B) {
		for b.Loop() {
			if _, err := db.cat.metricState(5); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchChanges makes past states of a hundredth of the resources, searches them, and does what concerns many resources at once.
func benchChanges(b *testing.B, db *DB, resources int) {
	ctx := context.Background()
	eq := func(f, v string) *index.Filter { return &index.Filter{Op: index.Eq, Field: f, Value: textValue(v)} }
	once := func(name string, fn func(tx *Tx) error) {
		start := time.Now()
		if err := db.Update(ctx, fn); err != nil {
			b.Fatal(err)
		}
		b.Logf("%s in %v", name, time.Since(start))
	}
	once("a hundredth of the resources changed", func(tx *Tx) error {
		for i := 0; i < resources; i += 100 {
			r := benchResource(i)
			r.Attributes["host"] = textValue("moved")
			r.RevisionStart = time.Time{}
			if err := tx.UpdateResource(r); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range []struct {
		name string
		q    Query
	}{
		{"history=of_one", Query{Filter: &index.Filter{Op: index.Eq, Field: fieldID, Value: uuidValue(benchUUID(0))}, History: true}},
		{"history=page_of_project", Query{Filter: eq(fieldProject, "project-0"), History: true, Limit: 100, Sort: []SortKey{{Field: fieldRevisionStart}, {Field: fieldStarted}}}},
		{"history=page_of_all", Query{History: true, Limit: 100, Sort: []SortKey{{Field: fieldRevisionStart}, {Field: fieldStarted}}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				rs, err := db.Resources(ctx, c.q)
				if err != nil {
					b.Fatal(err)
				}
				n = len(rs)
			}
			b.ReportMetric(float64(n), "found")
		})
	}
	b.Run("history=rows_of_project", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n = 0
			err := db.EachResource(ctx, Query{Filter: eq(fieldProject, "project-0"), History: true}, func(r ResourceRow) error {
				if _, ok := r.Metric("cpu"); ok && r.Value("host").Kind == index.Bytes {
					n++
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n), "found")
	})
	once("an attribute of all resources filled in", func(tx *Tx) error {
		t, err := tx.ResourceType("instance")
		if err != nil {
			return err
		}
		t.Attributes = append(t.Attributes, Attribute{Name: "zone", Type: AttributeString, MaxLength: 9, Required: true})
		return tx.UpdateResourceType(t, map[string]index.Value{"zone": textValue("a")})
	})
	once("the resources of a flavor deleted", func(tx *Tx) error {
		n, err := tx.DeleteResources(eq("flavor_name", "m1.3"))
		b.Logf("%d resources", n)
		return err
	})
}
