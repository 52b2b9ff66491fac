package engine

import (
	"context"
	"errors"
	"time"
)

// Tx is a change of the catalogue: archive policies, rules, resources, metrics. It sees its own changes and
// is used by one goroutine inside the function given to Update.
type Tx struct {
	db *DB
}

var errStub = errors.New("stub")

// Update runs fn and commits what it did in one durable step, or nothing if fn returns an error, which
// Update passes on. Updates run one after the other; readers go on.
func (db *DB) Update(ctx context.Context, fn func(tx *Tx) error) error { return errStub }

// Archive policies and rules.

// CreateArchivePolicy stores p. ErrExists: the name is taken. ErrInvalid: a definition breaks the rules of its fields.
func (tx *Tx) CreateArchivePolicy(p ArchivePolicy) error { return errStub }

// UpdateArchivePolicy replaces the definition (same granularities; only points and timespans may differ) and,
// if backWindow is not nil, the back window. ErrUnsupported: granularities differ.
func (tx *Tx) UpdateArchivePolicy(name string, definition []Granularity, backWindow *int) (ArchivePolicy, error) {
	return ArchivePolicy{}, errStub
}

// DeleteArchivePolicy removes it. ErrInUse: a metric or a rule refers to it.
func (tx *Tx) DeleteArchivePolicy(name string) error { return errStub }

// CreateRule stores r. ErrExists, or ErrNotFound for its policy.
func (tx *Tx) CreateRule(r Rule) error { return errStub }

// RenameRule gives a rule a new name. ErrNotFound, ErrExists.
func (tx *Tx) RenameRule(name, to string) (Rule, error) { return Rule{}, errStub }

// DeleteRule removes it. ErrNotFound.
func (tx *Tx) DeleteRule(name string) error { return errStub }

// Resources and metrics.

// CreateResource stores r, its Metrics field ignored. A zero RevisionStart means now. ErrExists: the id is taken by a resource of any type.
func (tx *Tx) CreateResource(r *Resource) error { return errStub }

// UpdateResource replaces the attributes, owner, and times of the resource with r's id by r's. ErrNotFound.
func (tx *Tx) UpdateResource(r *Resource) error { return errStub }

// DeleteResource removes it and its metrics. ErrNotFound.
func (tx *Tx) DeleteResource(id UUID) error { return errStub }

// CreateMetric stores m, whose Ref is ignored and whose ID may be zero for a new one, and returns it with both set.
// ErrNotFound: policy or resource. ErrExists (KindNamedMetric): the resource has a metric of that name.
func (tx *Tx) CreateMetric(m Metric) (Metric, error) { return Metric{}, errStub }

// AttachMetric gives the metric to a resource under a name; nil, nil detaches it (the name stays).
// ErrNotFound: metric or resource; ErrExists (KindNamedMetric): the name is taken.
func (tx *Tx) AttachMetric(metric UUID, resource *UUID, name *string) error { return errStub }

// DeleteMetric removes the metric and its samples; the space is given back in the background. ErrNotFound.
func (tx *Tx) DeleteMetric(id UUID) error { return errStub }

// Reads of the catalogue, on DB as of the last committed change and on Tx including its own changes.

// Resource returns the resource with its metrics. The caller may keep and change it. ErrNotFound.
func (tx *Tx) Resource(id UUID) (*Resource, error) { return nil, errStub }

// Metric returns the metric. ErrNotFound.
func (tx *Tx) Metric(id UUID) (Metric, error) { return Metric{}, errStub }

// ArchivePolicy returns the policy. ErrNotFound.
func (tx *Tx) ArchivePolicy(name string) (ArchivePolicy, error) { return ArchivePolicy{}, errStub }

// MatchRule returns the first rule, in the order of Rules, whose pattern matches the metric's name.
func (tx *Tx) MatchRule(metric string) (Rule, bool) { return Rule{}, false }

// ArchivePolicy returns the policy. ErrNotFound.
func (db *DB) ArchivePolicy(name string) (ArchivePolicy, error) { return ArchivePolicy{}, errStub }

// ArchivePolicies returns all policies in order of creation.
func (db *DB) ArchivePolicies() []ArchivePolicy { return nil }

// Rule returns the rule. ErrNotFound.
func (db *DB) Rule(name string) (Rule, error) { return Rule{}, errStub }

// Rules returns all rules by pattern descending, then name ascending: the order of matching.
func (db *DB) Rules() []Rule { return nil }

// MatchRule returns the first rule, in the order of Rules, whose pattern matches the metric's name.
func (db *DB) MatchRule(metric string) (Rule, bool) { return Rule{}, false }

// Resource returns the resource with its metrics. The caller may keep and change it. ErrNotFound.
func (db *DB) Resource(id UUID) (*Resource, error) { return nil, errStub }

// Metric returns the metric. ErrNotFound.
func (db *DB) Metric(id UUID) (Metric, error) { return Metric{}, errStub }

// MetricByRef returns the metric. ErrNotFound.
func (db *DB) MetricByRef(ref Ref) (Metric, error) { return Metric{}, errStub }

// ResourceMetric returns the metric of that name of the resource, cheaply when asked again. ErrNotFound, of kind
// KindResource or KindMetric.
func (db *DB) ResourceMetric(resource UUID, name string) (MetricRef, error) {
	return MetricRef{}, errStub
}

// Resources returns a page of resources. Fields of filters and sort keys: id, original_resource_id, type, creator,
// user_id, project_id, started_at, ended_at, revision_start, and attributes by their names.
// ErrInvalid: unknown field (Name holds it).
func (db *DB) Resources(ctx context.Context, q Query) ([]*Resource, error) { return nil, errStub }

// Metrics returns a page of metrics. Fields: id, name, unit, archive_policy_name, creator, resource_id.
func (db *DB) Metrics(ctx context.Context, q Query) ([]Metric, error) { return nil, errStub }

// CountMetrics and CountResources return how many there are.
func (db *DB) CountMetrics() int { return 0 }

// CountResources returns how many resources there are.
func (db *DB) CountResources() int { return 0 }

var _ = time.Now
