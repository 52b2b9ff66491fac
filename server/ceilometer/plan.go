package ceilometer

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
)

// A part is some metrics, and the contexts of their samples that are asked for; nil: all, also samples without one.
type part struct {
	refs []engine.Ref
	set  *engine.ContextSet
}

// selection is what a request selects samples by, beside their times: metrics, and contexts. It decides which metrics are looked at.
type selection struct {
	resource *string
	metrics  *index.Filter // fields as engine.DB.Metrics has them; nil: those of all resources
	contexts *index.Filter // nil: all
	owners   *index.Filter // of resources whose samples without a context may be asked for; nil: all
	alike    bool          // matches is the same for all samples of a resource without a context
	matches  func(c *engine.Context) (bool, error)
	exact    bool      // contexts selects what matches does
	newest   int       // how many of the newest samples are asked for; 0: all
	times    timeRange // of newest
}

// contextFields are the names that fields of filters have in contexts and in resources.
var contextFields = map[string]string{"user": "user_id", "project": "project_id", "source": "source"}

// selection gives what the filter selects.
func (f *filter) selection() *selection {
	s := &selection{resource: f.texts["resource"], exact: true, alike: true,
		matches: func(c *engine.Context) (bool, error) { return f.matches(c), nil }}
	if name := f.texts["meter"]; name != nil {
		s.metrics = &index.Filter{Op: index.Eq, Field: "name", Value: textValue(*name)}
	}
	all, owners := &index.Filter{Op: index.And}, &index.Filter{Op: index.And}
	for _, field := range []string{"user", "project", "source"} {
		if v := f.texts[field]; v != nil {
			cond := &index.Filter{Op: index.Eq, Field: contextFields[field], Value: textValue(*v)}
			all.Subs = append(all.Subs, cond)
			if field != "source" {
				owners.Subs = append(owners.Subs, cond)
			}
		}
	}
	for _, m := range f.metadata {
		cond, exact := m.want.contextFilter(m.path)
		s.exact = s.exact && exact
		if cond != nil {
			all.Subs = append(all.Subs, cond)
		}
		if attribute := m.want.attributeFilter(m.path); attribute != nil {
			owners.Subs = append(owners.Subs, attribute)
		}
	}
	if len(all.Subs) > 0 || len(f.metadata) > 0 {
		s.contexts = all
	}
	if len(owners.Subs) > 0 {
		s.owners = owners
	}
	return s
}

// matches tells whether samples of the context meet the conditions that are about contexts.
func (f *filter) matches(c *engine.Context) bool {
	is := func(want, have *string) bool { return want == nil || have != nil && *want == *have }
	if !is(f.texts["user"], c.UserID) || !is(f.texts["project"], c.ProjectID) || !is(f.texts["source"], &c.Source) {
		return false
	}
	return f.matchesMetadata(c.Metadata)
}

func (f *filter) matchesMetadata(metadata []byte) bool {
	if len(f.metadata) == 0 {
		return true
	}
	have := decodeMetadata(metadata)
	for _, m := range f.metadata {
		if x, ok := lookUp(have, m.path); !m.want.isFound(x, ok) {
			return false
		}
	}
	return true
}

// plan finds out which metrics have samples that a selection asks for, and by which contexts.
func (k *known) plan(ctx context.Context, s *selection, u *usage) ([]part, error) {
	refs, everywhere, err := k.candidates(ctx, s)
	if err != nil {
		return nil, err
	}
	if s.contexts == nil {
		if s.newest > 0 {
			if refs, err = k.newestMetrics(ctx, refs, s.newest, s.times); err != nil {
				return nil, err
			}
		}
		return parts(u, part{refs, nil})
	}
	set, err := k.contextSet(ctx, s)
	if err != nil {
		return nil, err
	}
	bare, err := k.bareMetrics(ctx, s, refs, everywhere)
	if err != nil {
		return nil, err
	}
	if s.resource == nil { // else there are few
		used, err := k.db.MetricsOfContexts(ctx, set)
		if err != nil {
			return nil, err
		}
		if everywhere {
			if refs, err = k.keeping(slices.Clone(used)); err != nil {
				return nil, err
			}
			if bare, err = k.keeping(bare); err != nil {
				return nil, err
			}
		} else {
			refs = intersection(refs, used)
		}
	}
	refs = slices.DeleteFunc(refs, func(r engine.Ref) bool {
		_, ok := slices.BinarySearch(bare, r)
		return ok
	})
	with := append(slices.Collect(set.All()), 0)
	return parts(u, part{refs, set}, part{bare, engine.NewContextSet(with...)})
}

// parts are those that have metrics.
func parts(u *usage, all ...part) (out []part, err error) {
	n := 0
	for _, p := range all {
		if len(p.refs) > 0 && (p.set == nil || p.set.Len() > 0) {
			n += len(p.refs)
			out = append(out, p)
		}
	}
	return out, u.series(n)
}

// candidates are the metrics, in ascending order, that the selection names; everywhere: it names none, and others tell where to look.
func (k *known) candidates(ctx context.Context, s *selection) (refs []engine.Ref, everywhere bool, err error) {
	if s.resource != nil {
		err := k.eachByID(ctx, *s.resource, func(row engine.ResourceRow) error {
			k.add(row)
			for name, m := range row.Metrics() {
				if s.metrics == nil || s.metrics.Op != index.Eq || s.metrics.Value.Str == name {
					refs = append(refs, m.Ref)
				}
			}
			return nil
		})
		if err == nil {
			refs, err = k.keeping(refs)
		}
		slices.Sort(refs)
		return refs, false, err
	}
	if s.metrics == nil && s.contexts != nil {
		return nil, true, nil
	}
	f := &index.Filter{Op: index.And, Subs: []*index.Filter{{Op: index.Ne, Field: "resource_id"}, {Op: index.Ne, Field: "name"}}}
	if s.metrics != nil {
		f.Subs = append(f.Subs, s.metrics)
	}
	for _, p := range k.db.ArchivePolicies() { // see keeps
		if p.Raw == 0 {
			f.Subs = append(f.Subs, &index.Filter{Op: index.Ne, Field: "archive_policy_name", Value: textValue(p.Name)})
		}
	}
	refs, err = k.db.MetricRefs(ctx, f)
	return refs, false, err
}

// newestMetrics leaves the metrics that may have some of the n newest samples of a time, of all samples whatever their contexts: all that have
// newer ones, whose samples before that are not known, and n others, by their newest samples. More than these have a sample
// each that comes first. The order of a merged reader is time, then metric. It changes refs, which ascend.
func (k *known) newestMetrics(ctx context.Context, refs []engine.Ref, n int, in timeRange) ([]engine.Ref, error) {
	if len(refs) <= n {
		return refs, nil
	}
	times, err := k.db.NewestTimes(ctx, refs, make([]int64, 0, len(refs)))
	if err != nil {
		return nil, err
	}
	var within []int64
	for _, t := range times {
		if t >= in.from && t < in.to {
			within = append(within, t)
		}
	}
	least, ties := in.from, len(within) // of those that are left, and how many of that time
	if len(within) > n {
		slices.SortFunc(within, func(a, b int64) int { return cmp.Compare(b, a) })
		least = within[n-1]
		first, _ := slices.BinarySearchFunc(within, least, func(t, want int64) int { return cmp.Compare(want, t) })
		ties = n - first
	}
	kept := refs[:0]
	for i, ref := range refs {
		switch t := times[i]; {
		case t < least:
			continue
		case t == least:
			if ties--; ties < 0 {
				continue
			}
		}
		kept = append(kept, ref)
	}
	return kept, nil
}

// keeps tells whether an archive policy keeps samples. One that does not still has the newest, for as long as aggregates need them: that
// is not what was written, and would make other numbers every minute.
func (k *known) keeps(policy string) bool {
	kept, ok := k.policies[policy]
	if !ok {
		p, err := k.db.ArchivePolicy(policy)
		kept = err == nil && p.Raw != 0
		k.policies[policy] = kept
	}
	return kept
}

// keeping leaves those metrics that keep samples. It changes refs.
func (k *known) keeping(refs []engine.Ref) (kept []engine.Ref, err error) {
	kept = slices.DeleteFunc(refs, func(ref engine.Ref) bool {
		m, e := k.db.MetricByRef(ref)
		if e != nil && !errors.Is(e, engine.ErrNotFound) {
			err = e
		}
		return e != nil || !k.keeps(m.Policy)
	})
	return kept, err
}

// contextSet gives the contexts that the selection selects.
func (k *known) contextSet(ctx context.Context, s *selection) (*engine.ContextSet, error) {
	set, err := k.db.FindContexts(ctx, s.contexts)
	if err != nil || s.exact {
		return set, err
	}
	var refs []engine.ContextRef
	for ref := range set.All() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c, err := k.db.SharedContext(ref)
		if err != nil {
			return nil, err
		}
		ok, err := s.matches(c)
		if err != nil {
			return nil, err
		}
		if ok {
			refs = append(refs, ref)
		}
	}
	return engine.NewContextSet(refs...), nil
}

// bareMetrics are the metrics, among refs unless everywhere is set, whose samples without a context are asked for.
func (k *known) bareMetrics(ctx context.Context, s *selection, refs []engine.Ref, everywhere bool) (bare []engine.Ref, err error) {
	if s.resource != nil {
		for _, ref := range refs {
			m := k.meters[ref]
			c, err := k.context(m, 0)
			if err != nil {
				return nil, err
			}
			ok, err := s.matches(c)
			if err != nil {
				return nil, err
			}
			if ok {
				bare = append(bare, ref)
			}
		}
		return bare, nil
	}
	err = k.db.EachResource(ctx, engine.Query{Filter: s.owners}, func(row engine.ResourceRow) error {
		ok, err := true, error(nil)
		if s.alike {
			c := k.store.DefaultContext(row.Resource(), engine.Metric{})
			ok, err = s.matches(&c)
		}
		if !ok || err != nil {
			return err
		}
		for _, m := range row.Metrics() {
			if _, found := slices.BinarySearch(refs, m.Ref); !found && !everywhere {
				continue
			}
			if !s.alike {
				c, err := k.defaultContext(row.Resource(), m.Ref)
				if err != nil {
					return err
				}
				if ok, err = s.matches(c); err != nil {
					return err
				}
			}
			if ok {
				bare = append(bare, m.Ref)
			}
		}
		return nil
	})
	slices.Sort(bare)
	return bare, err
}

// intersection is what two ascending lists have in common.
func intersection(a, b []engine.Ref) (out []engine.Ref) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			out = append(out, a[0])
			a, b = a[1:], b[1:]
		}
	}
	return out
}

// view is a view of the metrics that are still there.
func (k *known) view(refs []engine.Ref) (*engine.View, []engine.Ref, error) {
	for {
		v, err := k.db.View(refs...)
		if !errors.Is(err, engine.ErrNotFound) {
			return v, refs, err
		}
		before := len(refs)
		refs = slices.DeleteFunc(slices.Clone(refs), func(ref engine.Ref) bool {
			_, err := k.db.MetricByRef(ref)
			return errors.Is(err, engine.ErrNotFound)
		})
		if len(refs) == before {
			return nil, refs, err
		}
	}
}
