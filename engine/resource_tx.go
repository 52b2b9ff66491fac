package engine

import (
	"maps"
	"slices"

	"github.com/telemetrydb/tsdb/index"
)

// Resources in a transaction.

// CreateResource stores r, its Metrics field ignored. A zero RevisionStart means now. Times are kept to the microsecond.
// ErrExists: the id is taken by a resource of any type. ErrNotFound: the type. ErrInvalid: text that is no UTF-8 or longer than
// 64 KiB, no type, an attribute with the name of a field that every resource has or, unless the type is generic, one that is
// not as the type says.
func (tx *Tx) CreateResource(r *Resource) error {
	if err := checkResource(r); err != nil {
		return err
	}
	t, err := tx.types().get(r.Type)
	if err != nil {
		return err
	}
	if t.Name != genericType {
		if err := t.checkAttributes(nil, r); err != nil {
			return err
		}
	}
	old, err := tx.resource(r.ID)
	if err != nil {
		return err
	}
	if old != nil {
		return &Error{Kind: KindResource, Name: r.ID.String(), Err: ErrExists}
	}
	ord, err := nextOrdinal(&tx.counts.resource, KindResource, r.ID)
	if err != nil {
		return err
	}
	now := newResource(ord, r, nil)
	now.Revision, now.RevisionEnd, now.Source, now.Meters = 0, nil, "", nil
	if r.RevisionStart.IsZero() {
		now.RevisionStart = micros(tx.db.opts.Now())
	}
	if c := tx.resources[r.ID]; c != nil {
		c.now = now
	} else {
		tx.resources[r.ID] = &resourceChange{now: now}
	}
	return nil
}

// UpdateResource replaces attributes, user, project and times of the resource with r's id by r's; its type, original id and
// creator stay. If something is different then, what it was becomes a revision that ends at r's RevisionStart (zero: now), when the
// new state begins; else nothing happens. ErrNotFound. ErrInvalid: as CreateResource, of what is different.
func (tx *Tx) UpdateResource(r *Resource) error {
	old, err := tx.resource(r.ID)
	if err != nil {
		return err
	}
	if old == nil {
		return notFoundResource(r.ID)
	}
	n := *r
	n.Type, n.OriginalID, n.Creator = old.Type, old.OriginalID, old.Creator
	n.Revision, n.RevisionEnd, n.Source, n.Meters = 0, nil, old.Source, old.Meters
	if n.RevisionStart.IsZero() {
		n.RevisionStart = tx.db.opts.Now()
	}
	if err := checkResource(&n); err != nil {
		return err
	}
	now := newResource(old.ord, &n, nil)
	if now.equal(old) {
		return nil
	}
	if t := tx.types()[n.Type]; t != nil && t.Name != genericType {
		if err := t.checkAttributes(&old.Resource, &n); err != nil {
			return err
		}
	}
	if _, err := tx.ownResource(r.ID); err != nil {
		return err
	}
	if err := tx.keep(old, now.RevisionStart); err != nil {
		return err
	}
	c := tx.resources[r.ID]
	now.metrics = c.now.metrics
	c.now = now
	return nil
}

// equal tells whether two states of a resource differ in nothing that a revision is made for.
func (r *resource) equal(o *resource) bool {
	same := func(a, b index.Value) bool { return a.Kind == b.Kind && index.Compare(a, b) == 0 }
	for _, f := range []string{fieldUser, fieldProject} {
		if !same(r.value(f), o.value(f)) {
			return false
		}
	}
	return r.StartedAt.Equal(o.StartedAt) && (r.EndedAt == nil) == (o.EndedAt == nil) && r.ended.Equal(o.ended) &&
		maps.EqualFunc(r.Attributes, o.Attributes, same)
}

// SetMeters notes where a resource's last samples came from and which kinds of samples it has, in the order in which they appeared.
// That makes no revision. ErrNotFound. ErrInvalid: a text is longer than 1,024 characters or not UTF-8.
func (tx *Tx) SetMeters(id UUID, source string, meters []Meter) error {
	texts := []string{source}
	for _, m := range meters {
		texts = append(texts, m.Name, m.Type, m.Unit)
	}
	for _, t := range texts {
		if fault := checkText(t, 0, maxContextChars); fault != "" {
			return &Error{Kind: KindResource, Name: id.String(), Err: ErrInvalid, Detail: "source or meter is " + fault}
		}
	}
	r, err := tx.ownResource(id)
	if err == nil {
		r.Source, r.Meters = source, slices.Clone(meters)
	}
	return err
}

// DeleteResource removes it and its metrics. ErrNotFound.
func (tx *Tx) DeleteResource(id UUID) error {
	r, err := tx.ownResource(id)
	if err != nil {
		return err
	}
	for _, m := range r.metrics {
		if err := tx.dropMetric(m.MetricRef); err != nil {
			return err
		}
	}
	tx.resources[id].now = nil
	return tx.dropRevisions(id)
}

// resource returns the resource as the transaction sees it, read only; nil: there is none.
func (tx *Tx) resource(id UUID) (*resource, error) {
	if c := tx.resources[id]; c != nil {
		return c.now, nil
	}
	return tx.cat.resource(id)
}

// ownResource returns the resource for changing. ErrNotFound.
func (tx *Tx) ownResource(id UUID) (*resource, error) {
	r, err := tx.resource(id)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, notFoundResource(id)
	}
	if tx.resources[id] == nil {
		tx.resources[id] = &resourceChange{old: r, now: newResource(r.ord, &r.Resource, slices.Clone(r.metrics))}
	}
	return tx.resources[id].now, nil
}

func notFoundResource(id UUID) error {
	return &Error{Kind: KindResource, Name: id.String(), Err: ErrNotFound}
}

// Resource returns the resource with its metrics. The caller may keep and change it. ErrNotFound.
func (tx *Tx) Resource(id UUID) (*Resource, error) {
	r, err := tx.resource(id)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, notFoundResource(id)
	}
	return r.export(), nil
}

// Reads of resources outside of transactions.

// Resource returns the resource with its metrics. The caller may keep and change it. ErrNotFound.
func (db *DB) Resource(id UUID) (*Resource, error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.end()
	r, err := db.cat.resource(id)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, notFoundResource(id)
	}
	return r.export(), nil
}

// ResourceState returns a number that is another one when the resource has changed in anything, its metrics included, cheaply when asked
// again. 0: nothing is known, also if there is no such resource.
func (db *DB) ResourceState(id UUID) (uint64, error) {
	if err := db.begin(); err != nil {
		return 0, err
	}
	defer db.end()
	r, err := db.cat.resource(id)
	if err != nil || r == nil {
		return 0, err
	}
	return r.since, nil
}

// ResourceMetric returns the metric of that name of the resource, cheaply when asked again. ErrNotFound, of kind
// KindResource or KindMetric.
func (db *DB) ResourceMetric(resource UUID, name string) (MetricRef, error) {
	if err := db.begin(); err != nil {
		return MetricRef{}, err
	}
	defer db.end()
	r, err := db.cat.resource(resource)
	if err != nil {
		return MetricRef{}, err
	}
	if r == nil {
		return MetricRef{}, notFoundResource(resource)
	}
	m, ok := r.metric(name)
	if !ok {
		return MetricRef{}, &Error{Kind: KindMetric, Name: name, Err: ErrNotFound}
	}
	return m, nil
}

// CountResources returns how many resources there are.
func (db *DB) CountResources() int { return int(db.cat.counts.Load().resources) }
