package engine

import "slices"

// Metrics in a transaction.

// CreateMetric stores m, whose Ref is ignored and whose ID may be zero for a new one, and returns it with both set.
// ErrNotFound: policy or resource. ErrExists: the id is taken, or (KindNamedMetric) the resource has a metric of that
// name, which is told before a policy that is missing. ErrInvalid: the name is longer than 255 characters or has a slash, the unit is longer than 31.
func (tx *Tx) CreateMetric(m Metric) (Metric, error) {
	if err := checkMetric(&m); err != nil {
		return Metric{}, err
	}
	if m.ID == (UUID{}) {
		m.ID = NewUUID()
	} else if old, err := tx.metric(m.ID); err != nil {
		return Metric{}, err
	} else if old != nil {
		return Metric{}, &Error{Kind: KindMetric, Name: m.ID.String(), Err: ErrExists}
	}
	var owner *resource
	if m.Resource != nil {
		var err error
		if owner, err = tx.ownResource(*m.Resource); err != nil {
			return Metric{}, err
		}
		if _, taken := owner.metric(*m.Name); taken {
			return Metric{}, nameTaken(*m.Name)
		}
	}
	policy, err := tx.policies().policy(m.Policy)
	if err != nil {
		return Metric{}, err
	}
	ord, err := nextOrdinal(&tx.counts.metric, KindMetric, m.ID)
	if err != nil {
		return Metric{}, err
	}
	m.Ref = Ref(ord)
	now := newMetric(m, policy.policyEntry)
	if owner != nil {
		owner.attach(now)
	}
	if c := tx.metrics[m.ID]; c != nil {
		c.now = now
	} else {
		tx.metrics[m.ID] = &metricChange{now: now}
	}
	m.Policy = now.Policy
	return m, nil
}

func nameTaken(name string) error {
	return &Error{Kind: KindNamedMetric, Name: name, Err: ErrExists}
}

// attach enters the metric under its name, which is free.
func (r *resource) attach(m *metric) {
	i, _ := r.find(m.name)
	r.metrics = slices.Insert(r.metrics, i, namedMetric{m.name, MetricRef{m.ID, m.Ref}})
}

func (r *resource) detach(name string) {
	if i, ok := r.find(name); ok {
		r.metrics = slices.Delete(r.metrics, i, i+1)
	}
}

// metric returns the metric as the transaction sees it, read only; nil: there is none.
func (tx *Tx) metric(id UUID) (*metric, error) {
	if c := tx.metrics[id]; c != nil {
		return c.now, nil
	}
	return tx.cat.metricByID(id)
}

// ownMetric returns the metric for changing. ErrNotFound.
func (tx *Tx) ownMetric(id UUID) (*metric, error) {
	m, err := tx.metric(id)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, notFoundMetric(id)
	}
	if tx.metrics[id] == nil {
		tx.metrics[id] = &metricChange{old: m, now: m.clone()}
	}
	return tx.metrics[id].now, nil
}

func notFoundMetric(id UUID) error {
	return &Error{Kind: KindMetric, Name: id.String(), Err: ErrNotFound}
}

// AttachMetric gives the metric to a resource under a name, which may be nil if it has one already; nil, nil detaches
// it (the name stays). ErrNotFound: metric or resource; ErrExists (KindNamedMetric): the name is taken.
func (tx *Tx) AttachMetric(metric UUID, resource *UUID, name *string) error {
	m, err := tx.metric(metric)
	if err != nil {
		return err
	}
	if m == nil {
		return notFoundMetric(metric)
	}
	want := m.export()
	want.Resource = resource
	if name != nil {
		want.Name = name
	}
	if err := checkMetric(&want); err != nil {
		return err
	}
	if resource != nil { // all checks before the first change
		r, err := tx.resource(*resource)
		if err != nil {
			return err
		}
		if r == nil {
			return notFoundResource(*resource)
		}
		if other, taken := r.metric(*want.Name); taken && other.ID != metric {
			return nameTaken(*want.Name)
		}
	}
	if m.Resource != nil {
		from, err := tx.ownResource(m.resource)
		if err != nil {
			return err
		}
		from.detach(m.name)
	}
	if m, err = tx.ownMetric(metric); err != nil {
		return err
	}
	m.Name = keepText(&m.name, want.Name)
	m.setResource(resource)
	if resource == nil {
		return nil
	}
	to, err := tx.ownResource(*resource)
	if err != nil {
		return err
	}
	to.attach(m)
	return nil
}

// ChangePolicy gives the metric another archive policy. Its aggregates are computed afresh from the raw samples that are kept, and from those that
// the back window needs; points of older groups stay where the new policy has their granularity and method, other older points are given up. Of
// several samples at one instant a policy that does not keep all keeps the last. From then on retention and lateness are the new policy's.
// Views that exist go on showing the old state. ErrNotFound: metric or policy.
//
// Update fails with ErrUnsupported (and changes nothing) if older points would be lost of which nothing is left under the new policy, or if
// the metric is too large to be rebuilt in memory; with a CorruptError if samples cannot be read.
func (tx *Tx) ChangePolicy(metric UUID, policy string) error {
	m, err := tx.metric(metric)
	if err != nil {
		return err
	}
	if m == nil {
		return notFoundMetric(metric)
	}
	p, err := tx.policies().policy(policy)
	if err != nil || p.policyEntry == m.policy {
		return err
	}
	if m, err = tx.ownMetric(metric); err != nil {
		return err
	}
	m.policy, m.Policy = p.policyEntry, p.name
	return nil
}

// dropMetric deletes a metric of a resource that goes, too. Its reference saves a look-up of the id.
func (tx *Tx) dropMetric(m MetricRef) error {
	if c := tx.metrics[m.ID]; c != nil {
		c.now = nil
		return nil
	}
	old, err := tx.cat.metric(m.Ref)
	if err == nil && (old == nil || old.ID != m.ID) {
		err = corruptRecord(ordinalKey(keyMetric, uint32(m.Ref)), formatError("no record of a metric of a resource"))
	}
	if err != nil {
		return err
	}
	tx.metrics[m.ID] = &metricChange{old: old}
	return nil
}

// DeleteMetric removes the metric and its samples; the space is given back in the background. ErrNotFound.
func (tx *Tx) DeleteMetric(id UUID) error {
	m, err := tx.ownMetric(id)
	if err != nil {
		return err
	}
	if m.Resource != nil {
		r, err := tx.ownResource(m.resource)
		if err != nil {
			return err
		}
		r.detach(m.name)
	}
	tx.metrics[id].now = nil
	return nil
}

// Metric returns the metric. ErrNotFound.
func (tx *Tx) Metric(id UUID) (Metric, error) {
	m, err := tx.metric(id)
	if err != nil {
		return Metric{}, err
	}
	if m == nil {
		return Metric{}, notFoundMetric(id)
	}
	return m.export(), nil
}

// Reads of metrics outside of transactions.

// Metric returns the metric. ErrNotFound.
func (db *DB) Metric(id UUID) (Metric, error) {
	if err := db.begin(); err != nil {
		return Metric{}, err
	}
	defer db.end()
	m, err := db.cat.metricByID(id)
	if err != nil {
		return Metric{}, err
	}
	if m == nil {
		return Metric{}, notFoundMetric(id)
	}
	return m.export(), nil
}

// MetricByRef returns the metric. ErrNotFound.
func (db *DB) MetricByRef(ref Ref) (Metric, error) {
	if err := db.begin(); err != nil {
		return Metric{}, err
	}
	defer db.end()
	m, err := db.cat.metric(ref)
	if err != nil {
		return Metric{}, err
	}
	if m == nil {
		return Metric{}, notFoundRef(ref)
	}
	return m.export(), nil
}

// CountMetrics returns how many metrics there are.
func (db *DB) CountMetrics() int { return int(db.cat.counts.Load().metrics) }
