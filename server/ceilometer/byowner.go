package ceilometer

import (
	"cmp"
	"context"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
)

const (
	ownerPage     = 500   // resources of the first page that is looked at; each page is twice as long as the one before
	ownerPageMost = 32000 // unless it is that long
	heldResource  = 200   // bytes that a resource takes until it is shown
	shownMetrics  = 512   // metrics of a view that resources are shown from, unless a resource alone has more
)

// byOwner chooses the resources that are shown: by user, project and last sample, all descending. Of one owner's resources it keeps no more than
// about twice as many as can be shown, and what it asks of the others is the times of their metrics' newest samples, which series know.
type byOwner struct {
	*known
	u     *usage
	limit int // resources still to be shown; those of a group are shown at most
	fn    writeResource
	group []*document // of one owner
	page  []*document // of one owner, of which the last times are not known yet
	refs  []engine.Ref
	times []int64
}

// eachByOwner calls fn with the first resources, up to the limit, that a filter without times selects: by user, project and last sample, all
// descending.
func (k *known) eachByOwner(ctx context.Context, f *filter, limit int, u *usage, fn writeResource) error {
	w := &byOwner{known: k, u: u, limit: limit, fn: fn}
	q := engine.Query{Filter: k.documentFilter(f), Sort: []engine.SortKey{{Field: "user_id", Desc: true, NullsLast: true},
		{Field: "project_id", Desc: true, NullsLast: true}}, Limit: ownerPage}
	for {
		n := 0
		var last engine.UUID
		err := k.db.EachResource(ctx, q, func(row engine.ResourceRow) error {
			n++
			d := k.document(row)
			last = d.ID
			ok, err := k.selects(ctx, f, d, u)
			if ok && err == nil {
				err = w.add(ctx, d)
			}
			return err
		})
		if err == nil {
			err = w.rank(ctx)
		}
		if err != nil {
			return err
		}
		if n < q.Limit {
			return w.write(ctx)
		}
		q.Marker, q.Limit = &last, min(2*q.Limit, ownerPageMost)
	}
}

// add takes the next resource.
func (w *byOwner) add(ctx context.Context, d *document) error {
	var before *document
	if n := len(w.page); n > 0 {
		before = w.page[n-1]
	} else if n := len(w.group); n > 0 {
		before = w.group[0]
	}
	if before != nil && !sameOwner(before, d) {
		if err := w.rank(ctx); err != nil {
			return err
		}
		if err := w.write(ctx); err != nil {
			return err
		}
	}
	w.page = append(w.page, d)
	if len(w.page) == ownerPage {
		return w.rank(ctx)
	}
	return nil
}

// rank finds out when the resources of the page had their last samples, and leaves in the group those that may be shown.
func (w *byOwner) rank(ctx context.Context) error {
	w.refs = w.refs[:0]
	for _, d := range w.page {
		w.refs = append(w.refs, d.refs...)
	}
	var err error
	if w.times, err = w.db.NewestTimes(ctx, w.refs, w.times[:0]); err != nil {
		return err
	}
	times := w.times
	for _, d := range w.page {
		if newest := slices.Max(times[:len(d.refs)]); newest != engine.NoSample { // it has metrics, see selects
			d.last = newest
		}
		times = times[len(d.refs):]
	}
	if err := w.u.keep(heldResource * len(w.page)); err != nil {
		return err
	}
	w.group, w.page = append(w.group, w.page...), w.page[:0]
	if len(w.group)/2 >= w.limit {
		w.cut()
	}
	return nil
}

// cut puts the group in order and leaves those that can be shown. Of one time the first stay first.
func (w *byOwner) cut() {
	slices.SortStableFunc(w.group, byLast)
	if n := len(w.group); n > w.limit {
		clear(w.group[w.limit:])
		w.group = w.group[:w.limit]
		_ = w.u.keep(heldResource * (w.limit - n)) // gives back
	}
}

func byLast(a, b *document) int { return cmp.Compare(b.last, a.last) }

// write calls fn with the resources of the group, and begins another.
func (w *byOwner) write(ctx context.Context) error {
	w.cut()
	for from := 0; from < len(w.group); {
		refs, to := w.refs[:0], from
		for to < len(w.group) && (to == from || len(refs)+len(w.group[to].refs) <= shownMetrics) {
			refs = append(refs, w.group[to].refs...)
			to++
		}
		w.refs = refs
		if err := w.read(ctx, w.group[from:to], refs); err != nil {
			return err
		}
		for _, d := range w.group[from:to] {
			s := &shownResource{user: d.UserID, project: d.ProjectID, source: w.store.SourceOf(d.Resource), times: d.times, first: d.first, last: d.last}
			if d.newest != nil {
				s.metadata, s.shared = d.newest.Metadata, d.shared
			}
			if err := w.fn(d, s); err != nil {
				return err
			}
		}
		from = to
	}
	w.limit -= len(w.group)
	clear(w.group)
	w.group = w.group[:0]
	return nil
}

// read reads what is shown of some resources, in one view of all their metrics.
func (w *byOwner) read(ctx context.Context, ds []*document, refs []engine.Ref) error {
	if err := w.u.read(2 * len(refs)); err != nil {
		return err
	}
	v, _, err := w.view(refs)
	if err != nil {
		return err
	}
	defer v.Close()
	for _, d := range ds {
		if err := w.newestOf(ctx, v, d); err != nil {
			return err
		}
		if err := firstOf(v, d); err != nil {
			return err
		}
	}
	return nil
}

func sameOwner(a, b *document) bool {
	return equalText(a.UserID, b.UserID) && equalText(a.ProjectID, b.ProjectID)
}

func equalText(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }
