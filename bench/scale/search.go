package scale

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/bench/cost"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
)

func eq(field string, format string, args ...any) *index.Filter {
	return &index.Filter{Op: index.Eq, Field: field, Value: index.Value{Kind: index.Bytes, Str: fmt.Sprintf(format, args...)}}
}

func tree(op index.Op, subs ...*index.Filter) *index.Filter { return &index.Filter{Op: op, Subs: subs} }

type search struct {
	name   string
	filter *index.Filter
}

// searches have values of their own, so that the first of each finds little in the caches.
func searches() []search {
	return []search{
		{"project", eq("project_id", "project-7")},
		{"host", eq("host", "compute-41")},
		{"flavor (a twelfth)", eq("flavor_name", "m1-3")},
		{"project and flavor", tree(index.And, eq("project_id", "project-11"), eq("flavor_name", "m1-4"))},
		{"zone and os and architecture", tree(index.And, eq("availability_zone", "zone-1"), eq("os_distro", "os-3"), eq("architecture", "arch-1"))},
		{"three hosts by or", tree(index.Or, eq("host", "compute-1"), eq("host", "compute-2"), eq("host", "compute-3"))},
		{"not flavor", tree(index.Not, eq("flavor_name", "m1-5"))},
		{"project and not flavor", tree(index.And, eq("project_id", "project-13"), tree(index.Not, eq("flavor_name", "m1-6")))},
		{"(flavor or flavor) and zone and not host", tree(index.And, tree(index.Or, eq("flavor_name", "m1-7"), eq("flavor_name", "m1-8")),
			eq("availability_zone", "zone-2"), tree(index.Not, eq("host", "compute-9")))},
	}
}

var errEnough = errors.New("enough")

// search times each filter to the bitmap (and one resource read, which the engine cannot be kept from), to a page of one id, and to
// pages of 100 by two keys.
func (p *phase) search() error {
	db, err := p.openDB()
	if err != nil {
		return err
	}
	for i, s := range searches() {
		bitmap := func() error {
			err := db.EachResource(p.ctx, engine.Query{Filter: s.filter}, func(engine.ResourceRow) error { return errEnough })
			if errors.Is(err, errEnough) {
				err = nil
			}
			return err
		}
		page := func(limit int, sort ...engine.SortKey) func() error {
			return func() error {
				_, err := db.Resources(p.ctx, engine.Query{Filter: s.filter, Limit: limit, Sort: sort})
				return err
			}
		}
		for _, q := range []struct {
			name string
			run  func() error
		}{{"bitmap", bitmap}, {"one", page(1)}, {"by start", page(100, engine.SortKey{Field: "started_at"})},
			{"by name", page(100, engine.SortKey{Field: "display_name", Desc: true})}} {
			if err := p.repeat(fmt.Sprintf("%d %s", i, q.name), q.run); err != nil {
				return err
			}
		}
	}
	p.out["peak MiB searching"] = cost.PeakMiB(os.Getpid())
	if err := p.checkSearches(db); err != nil {
		return err
	}
	return db.Close()
}

const mostCounted = 20_000 // resources of a filter that are read to count them

// checkSearches puts what the model has for each filter, and looks whether the store finds as many, of filters that find few.
func (p *phase) checkSearches(db *engine.DB) error {
	all := searches()
	want := make([]int, len(all))
	for i := range p.Metrics / kinds {
		r := resource(i, p.Metrics/kinds, true)
		for k, s := range all {
			if matches(s.filter, r) {
				want[k]++
			}
		}
	}
	for k, s := range all {
		p.out[fmt.Sprintf("%d found", k)] = float64(want[k])
		if want[k] > mostCounted {
			continue
		}
		got := 0
		err := db.EachResource(p.ctx, engine.Query{Filter: s.filter}, func(engine.ResourceRow) error {
			got++
			return nil
		})
		if err == nil && got != want[k] {
			err = fmt.Errorf("%s: %d resources, want %d", s.name, got, want[k])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// matches evaluates the filters of searches.
func matches(f *index.Filter, r *engine.Resource) bool {
	is := func(sub *index.Filter) bool { return matches(sub, r) }
	switch f.Op {
	case index.And:
		return !slices.ContainsFunc(f.Subs, func(sub *index.Filter) bool { return !is(sub) })
	case index.Or:
		return slices.ContainsFunc(f.Subs, is)
	case index.Not:
		return !is(f.Subs[0])
	}
	if f.Field == "project_id" {
		return *r.ProjectID == f.Value.Str
	}
	return r.Attributes[f.Field].Str == f.Value.Str
}

// repeat takes the first time and the median of the next, in milliseconds.
func (p *phase) repeat(name string, run func() error) error {
	var ms []float64
	for len(ms) < 33 {
		start := time.Now()
		if err := run(); err != nil {
			return err
		}
		ms = append(ms, time.Since(start).Seconds()*1e3)
	}
	p.out[name+" first"] = ms[0]
	slices.Sort(ms[1:])
	p.out[name+" warm"] = ms[1+len(ms[1:])/2]
	return nil
}
