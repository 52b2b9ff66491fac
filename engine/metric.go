package engine

import (
	"fmt"
	"strings"

	"github.com/telemetrydb/tsdb/index"
)

// metric is a metric in memory: read only once a transaction that made it has ended. The pointers in Metric point into it.
type metric struct {
	Metric
	policy              *policyEntry
	name, unit, creator string
	resource            UUID
	since               uint64 // the index's sequence number from which on it is so
}

// metricState is what appending and reading samples need of a metric. It never changes, but its plan is always that of
// the policy as last committed.
type metricState struct {
	id     UUID
	policy *policyEntry
}

func (m *metricState) plan() *plan { return m.policy.now.Load().plan }

// Fields of metrics in the index, as filters name them.
const (
	fieldID       = "id"
	fieldName     = "name"
	fieldUnit     = "unit"
	fieldPolicy   = "archive_policy_name"
	fieldCreator  = "creator"
	fieldResource = "resource_id"
)

var metricFields = []string{fieldID, fieldName, fieldUnit, fieldPolicy, fieldCreator, fieldResource}

func newMetric(m Metric, policy *policyEntry) *metric {
	n := &metric{Metric: m, policy: policy}
	n.Policy = policy.name
	n.Name = keepText(&n.name, m.Name)
	n.Unit = keepText(&n.unit, m.Unit)
	n.Creator = keepText(&n.creator, m.Creator)
	n.setResource(m.Resource)
	return n
}

// errNoPolicy: perhaps the record is newer than the policies that were looked at.
const errNoPolicy = formatError("no archive policy has the metric's ordinal")

func notFoundRef(ref Ref) error {
	return &Error{Kind: KindMetric, Name: fmt.Sprint(ref), Err: ErrNotFound}
}

func keepText(room, s *string) *string {
	if s == nil {
		return nil
	}
	*room = *s
	return room
}

func (m *metric) setResource(id *UUID) {
	m.Resource = nil
	if id != nil {
		m.resource = *id
		m.Resource = &m.resource
	}
}

// export returns a copy that is the caller's.
func (m *metric) export() Metric {
	c := m.clone()
	return c.Metric
}

func (m *metric) clone() *metric { return newMetric(m.Metric, m.policy) }

func (m *metric) bytes() int64 {
	return 260 + int64(len(m.name)+len(m.unit)+len(m.creator))
}

const maxUnitChars = 31

func checkMetric(m *Metric) error {
	invalid := func(detail string) error {
		e := &Error{Kind: KindMetric, Name: m.ID.String(), Err: ErrInvalid, Detail: detail}
		if m.Name != nil {
			e.Name = *m.Name
		}
		return e
	}
	if m.Name != nil {
		if fault := checkText(*m.Name, 0, maxNameChars); fault != "" {
			return invalid("name is " + fault)
		}
		if strings.Contains(*m.Name, "/") {
			return invalid("'/' is not supported in metric name")
		}
	}
	if m.Unit != nil {
		if fault := checkText(*m.Unit, 0, maxUnitChars); fault != "" {
			return invalid("unit is " + fault)
		}
	}
	if m.Creator != nil {
		if fault := checkText(*m.Creator, 0, 0); fault != "" {
			return invalid("creator is " + fault)
		}
	}
	if m.Resource != nil && m.Name == nil {
		return invalid("a metric of a resource needs a name")
	}
	return nil
}

// value returns a field's value as the index has it.
func (m *metric) value(field string) index.Value {
	switch field {
	case fieldID:
		return uuidValue(m.ID)
	case fieldName:
		return optValue(m.Name)
	case fieldUnit:
		return optValue(m.Unit)
	case fieldPolicy:
		return textValue(m.Policy)
	case fieldCreator:
		return optValue(m.Creator)
	case fieldResource:
		if m.Resource != nil {
			return uuidValue(m.resource)
		}
	}
	return index.Value{}
}

func optValue(s *string) index.Value {
	if s == nil {
		return index.Value{}
	}
	return textValue(*s)
}

func uuidValue(id UUID) index.Value { return textValue(string(id[:])) }

// Records: see catalogue_record.go.

func appendMetric(dst []byte, m *metric) []byte {
	at := len(dst)
	dst = append(beginRecord(dst), m.ID[:]...)
	dst = appendUvarint32(dst, m.policy.ord)
	dst = appendOptText(dst, m.Name)
	dst = appendOptText(dst, m.Unit)
	dst = appendOptText(dst, m.Creator)
	if m.Resource == nil {
		dst = append(dst, 0)
	} else {
		dst = append(append(dst, 1), m.resource[:]...)
	}
	return endRecord(dst, at)
}

// decodeMetric reads a record; the policy is looked up in the set.
func decodeMetric(ref Ref, rec []byte, set *policySet) (*metric, error) {
	r := openRecord(rec)
	m := &metric{Metric: Metric{Ref: ref, ID: r.uuid("id")}}
	ord := r.ordinal("policy")
	m.Name = r.optText(&m.name, "name")
	m.Unit = r.optText(&m.unit, "unit")
	m.Creator = r.optText(&m.creator, "creator")
	if r.byte("resource") != 0 {
		m.resource = r.uuid("resource")
		m.Resource = &m.resource
	}
	if err := r.close(); err != nil {
		return nil, err
	}
	if m.policy = set.byOrd[ord]; m.policy == nil {
		return nil, errNoPolicy
	}
	m.Policy = m.policy.name
	return m, nil
}
