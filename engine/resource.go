package engine

import (
	"cmp"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/index"
)

// resource is a resource in memory: read only once a transaction that made it has ended. The pointers in Resource point
// into it; its Metrics is nil.
type resource struct {
	Resource
	ord                    uint32
	creator, user, project string
	ended                  time.Time
	metrics                []namedMetric // by name ascending
	since                  uint64        // the index's sequence number from which on it is so
}

type namedMetric struct {
	name string
	MetricRef
}

// Fields of resources in the index, as filters name them; beside them are attributes.
const (
	fieldOriginalID    = "original_resource_id"
	fieldType          = "type"
	fieldUser          = "user_id"
	fieldProject       = "project_id"
	fieldStarted       = "started_at"
	fieldEnded         = "ended_at"
	fieldRevisionStart = "revision_start"
)

// resourceFields are the fields that every resource can have.
var resourceFields = []string{fieldID, fieldOriginalID, fieldType, fieldCreator, fieldUser, fieldProject, fieldStarted,
	fieldEnded, fieldRevisionStart}

// newResource copies r with its metrics taken from elsewhere.
func newResource(ord uint32, r *Resource, metrics []namedMetric) *resource {
	n := &resource{Resource: *r, ord: ord, metrics: metrics}
	n.Creator = keepText(&n.creator, r.Creator)
	n.UserID = keepText(&n.user, r.UserID)
	n.ProjectID = keepText(&n.project, r.ProjectID)
	n.StartedAt, n.RevisionStart = micros(r.StartedAt), micros(r.RevisionStart)
	if r.EndedAt != nil {
		n.ended = micros(*r.EndedAt)
		n.EndedAt = &n.ended
	}
	n.Metrics = nil
	n.Attributes = make(map[string]index.Value, len(r.Attributes))
	for name, v := range r.Attributes {
		if v.Kind != index.Null {
			n.Attributes[name] = v
		}
	}
	return n
}

func micros(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()).UTC() }

// export returns a copy that is the caller's, with its metrics.
func (r *resource) export() *Resource {
	c := newResource(r.ord, &r.Resource, nil)
	c.Metrics = make(map[string]MetricRef, len(r.metrics))
	for _, m := range r.metrics {
		c.Metrics[m.name] = m.MetricRef
	}
	return &c.Resource
}

// metric returns the resource's metric of that name.
func (r *resource) metric(name string) (MetricRef, bool) {
	if i, ok := r.find(name); ok {
		return r.metrics[i].MetricRef, true
	}
	return MetricRef{}, false
}

func (r *resource) find(name string) (int, bool) {
	return slices.BinarySearchFunc(r.metrics, name, func(m namedMetric, name string) int { return cmp.Compare(m.name, name) })
}

func (r *resource) bytes() int64 {
	n := 420 + len(r.OriginalID) + len(r.Type) + len(r.creator) + len(r.user) + len(r.project) + 48*len(r.metrics)
	for _, m := range r.metrics {
		n += len(m.name)
	}
	for name, v := range r.Attributes {
		n += 90 + len(name) + len(v.Str)
	}
	return int64(n)
}

// maxAttributeBytes bounds the text of an attribute, which becomes part of a key.
const maxAttributeBytes = 64 << 10

func checkResource(r *Resource) error {
	invalid := func(detail string) error {
		return &Error{Kind: KindResource, Name: r.ID.String(), Err: ErrInvalid, Detail: detail}
	}
	texts := []struct {
		name string
		s    *string
	}{{fieldOriginalID, &r.OriginalID}, {fieldType, &r.Type}, {fieldCreator, r.Creator}, {fieldUser, r.UserID}, {fieldProject, r.ProjectID}}
	for _, t := range texts {
		if t.s == nil {
			continue
		}
		if fault := checkText(*t.s, 0, 0); fault != "" {
			return invalid(t.name + " is " + fault)
		}
		if len(*t.s) > maxAttributeBytes {
			return invalid(t.name + " is longer than 64 KiB")
		}
	}
	if r.Type == "" {
		return invalid("no type")
	}
	for name, v := range r.Attributes {
		switch {
		case name == "" || len(name) > maxAttributeBytes || slices.Contains(resourceFields, name):
			return invalid("an attribute cannot be called " + name)
		case v.Kind > index.Bytes:
			return invalid("attribute " + name + " is of an unknown kind")
		case len(v.Str) > maxAttributeBytes:
			return invalid("attribute " + name + " is longer than 64 KiB")
		}
	}
	return nil
}

// value returns a field's value as the index has it.
func (r *resource) value(field string) index.Value {
	switch field {
	case fieldID:
		return uuidValue(r.ID)
	case fieldOriginalID:
		return textValue(r.OriginalID)
	case fieldType:
		return textValue(r.Type)
	case fieldCreator:
		return optValue(r.Creator)
	case fieldUser:
		return optValue(r.UserID)
	case fieldProject:
		return optValue(r.ProjectID)
	case fieldStarted:
		return timeValue(r.StartedAt)
	case fieldEnded:
		if r.EndedAt == nil {
			return index.Value{}
		}
		return timeValue(r.ended)
	case fieldRevisionStart:
		return timeValue(r.RevisionStart)
	}
	return r.Attributes[field]
}

// timeValue is how times are indexed: those that int64 nanoseconds cannot hold are taken for the nearest that they can.
func timeValue(t time.Time) index.Value {
	v := index.Value{Kind: index.Time}
	switch us := t.UnixMicro(); {
	case us > math.MaxInt64/1000:
		v.Time = math.MaxInt64
	case us < math.MinInt64/1000:
		v.Time = math.MinInt64
	default:
		v.Time = us * 1000
	}
	return v
}

// Records: see catalogue_record.go.

func appendResource(dst []byte, r *resource) []byte {
	at := len(dst)
	dst = append(beginRecord(dst), r.ID[:]...)
	dst = appendText(appendText(dst, r.OriginalID), r.Type)
	dst = appendOptText(dst, r.Creator)
	dst = appendOptText(dst, r.UserID)
	dst = appendOptText(dst, r.ProjectID)
	dst = appendMicros(appendMicros(dst, r.StartedAt), r.RevisionStart)
	if r.EndedAt == nil {
		dst = append(dst, 0)
	} else {
		dst = appendMicros(append(dst, 1), r.ended)
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Attributes)))
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		dst = appendAttribute(dst, name, r.Attributes[name])
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.metrics)))
	for _, m := range r.metrics {
		dst = append(appendText(dst, m.name), m.ID[:]...)
		dst = appendUvarint32(dst, uint32(m.Ref))
	}
	return endRecord(dst, at)
}

func decodeResource(ord uint32, rec []byte) (*resource, error) {
	r := openRecord(rec)
	n := &resource{ord: ord, Resource: Resource{ID: r.uuid("id"), OriginalID: r.text("original id"), Type: r.text("type")}}
	n.Creator = r.optText(&n.creator, "creator")
	n.UserID = r.optText(&n.user, "user")
	n.ProjectID = r.optText(&n.project, "project")
	n.StartedAt, n.RevisionStart = r.micros("start"), r.micros("revision start")
	if r.byte("end") != 0 {
		n.ended = r.micros("end")
		n.EndedAt = &n.ended
	}
	count := r.count(3, "attributes")
	n.Attributes = make(map[string]index.Value, count)
	for range count {
		name, v := r.attribute()
		n.Attributes[name] = v
	}
	count = r.count(18, "metrics")
	n.metrics = make([]namedMetric, count)
	for i := range n.metrics {
		m := &n.metrics[i]
		m.name, m.ID, m.Ref = r.text("metric"), r.uuid("metric"), Ref(r.ordinal("metric"))
		if i > 0 && strings.Compare(n.metrics[i-1].name, m.name) >= 0 {
			r.fail("order of metrics")
		}
	}
	return n, r.close()
}
