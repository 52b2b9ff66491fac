package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/samples"
)

// Difference is a meter of a resource of which source and database do not have the same samples.
type Difference struct {
	Resource, Meter string
	Want, Have      Total
}

func (d Difference) String() string {
	return fmt.Sprintf("%s of %s: %d samples with the sum %v in the source, %d with %v in the database", d.Meter, d.Resource,
		d.Want.Count, d.Want.Sum, d.Have.Count, d.Have.Sum)
}

// Total is what samples come to.
type Total struct {
	Count int64
	Sum   float64
	rest  float64 // what Sum lost to rounding (Neumaier 1974)
}

func (t *Total) add(v float64) {
	t.Count++
	sum := t.Sum + v
	if math.Abs(t.Sum) >= math.Abs(v) {
		t.rest += t.Sum - sum + v
	} else {
		t.rest += v - sum + t.Sum
	}
	t.Sum = sum
}

// same allows for the order of addition, of which the compensation leaves a trace in the last digits only.
func (t *Total) same(o Total) bool {
	a, b := t.Sum+t.rest, o.Sum+o.rest
	return t.Count == o.Count && math.Abs(a-b) <= 1e-12*max(math.Abs(a), math.Abs(b))
}

// meterKey names the metric of samples: several spellings of a resource's id may be one resource.
type meterKey struct {
	resource engine.UUID
	meter    string
}

// sourceTotal is a total with the id of the resource as the source has it.
type sourceTotal struct {
	Total
	resource string
}

// Verification is what a comparison found.
type Verification struct {
	Samples     int64 // in the source, without those that were rejected or dropped
	Meters      int   // of resources
	Differences []Difference
}

// Verify reads the source once more and compares the number and the sum of the samples of each meter of each resource with what the
// database has. It is for databases into which nothing else was written: samples that did not come from the source are differences.
func Verify(ctx context.Context, src Source, db *engine.DB, store *samples.Store, o Options) (*Verification, error) {
	want, err := sourceTotals(ctx, src, store, o)
	if err != nil {
		return nil, err
	}
	v := &Verification{Meters: len(want)}
	done := int64(0)
	for key, w := range want {
		v.Samples += w.Count
		have, err := storedTotal(ctx, db, key.resource, key.meter)
		if err != nil {
			return nil, err
		}
		if !w.same(have) {
			v.Differences = append(v.Differences, Difference{w.resource, key.meter, w.Total, have})
		}
		if done++; o.Progress != nil && done%100 == 0 {
			o.Progress("comparing", done, int64(len(want)))
		}
	}
	slices.SortFunc(v.Differences, func(a, b Difference) int {
		return slices.Compare([]string{a.Resource, a.Meter}, []string{b.Resource, b.Meter})
	})
	return v, nil
}

// sourceTotals adds up the samples of a source.
func sourceTotals(ctx context.Context, src Source, store *samples.Store, o Options) (totals map[meterKey]*sourceTotal, err error) {
	c, err := src.Open(ctx, meterCollection, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	r := &run{o: o, seen: map[[2]uint64]struct{}{}, progress: progress{Rejected: map[string]int64{}}}
	totals = map[meterKey]*sourceTotal{}
	var one []samples.Sample
	for n := 0; ; n++ {
		doc, err := c.Next(ctx)
		if errors.Is(err, io.EOF) || r.tolerated(err) {
			return totals, nil
		}
		if err != nil {
			return nil, err
		}
		if one, err = r.take(one[:0], doc); err != nil {
			return nil, err
		}
		for _, s := range one {
			key := meterKey{store.ResourceUUID(s.ResourceID), s.Meter}
			t := totals[key]
			if t == nil {
				t = &sourceTotal{resource: s.ResourceID}
				totals[key] = t
			}
			t.add(s.Volume)
		}
		if o.Progress != nil && n%4096 == 0 {
			read, total := c.Progress()
			o.Progress("verifying", read, total)
		}
	}
}

// storedTotal adds up the samples of a metric. A metric that there is not has none.
func storedTotal(ctx context.Context, db *engine.DB, resource engine.UUID, meter string) (t Total, err error) {
	m, err := db.ResourceMetric(resource, meter)
	if errors.Is(err, engine.ErrNotFound) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	v, err := db.View(m.Ref)
	if err != nil {
		return t, err
	}
	defer v.Close()
	rows := v.Samples(ctx, m.Ref, 0, math.MaxInt64, engine.SampleQuery{OldestFirst: true})
	for rows.Next() {
		for _, value := range rows.Columns().Values {
			t.add(value)
		}
	}
	return t, rows.Err()
}
