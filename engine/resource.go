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
	ended, until           time.Time
	metrics                []namedMetric // by name ascending; of a past state empty
	of                     uint32        // of a past state, whose ord is its number: the resource's ordinal
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
	fieldRevisionEnd   = "revision_end" // of past states
	fieldRevision      = "revision"     // number of a past state, -1 of the present one

	// FieldLifespan, as filters and sort keys name it, is the time from start to end, of what has ended: a Time of ns. An attribute may be called
	// lifespan.
	FieldLifespan = ".lifespan"
)

// resourceFields are the fields that every resource can have. Attributes are not called so.
var resourceFields = []string{fieldID, fieldOriginalID, fieldType, fieldCreator, fieldUser, fieldProject, fieldStarted,
	fieldEnded, fieldRevisionStart, fieldRevisionEnd, fieldRevision, FieldLifespan}

// newResource copies r, a state of a resource, with its metrics taken from elsewhere.
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
	if r.RevisionEnd != nil {
		n.until = micros(*r.RevisionEnd)
		n.RevisionEnd = &n.until
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
func (r *resource) export() *Resource { return r.exportWith(r.metrics) }

func (r *resource) exportWith(metrics []namedMetric) *Resource {
	c := newResource(r.ord, &r.Resource, nil)
	c.Metrics = make(map[string]MetricRef, len(metrics))
	for _, m := range metrics {
		c.Metrics[m.name] = m.MetricRef
	}
	c.Meters = slices.Clone(r.Meters)
	return &c.Resource
}

// metric returns the resource's metric of that name.
func (r *resource) metric(name string) (MetricRef, bool) {
	return findMetric(r.metrics, name)
}

func findMetric(metrics []namedMetric, name string) (MetricRef, bool) {
	if i, ok := (&resource{metrics: metrics}).find(name); ok {
		return metrics[i].MetricRef, true
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
	for _, m := range r.Meters {
		n += 48 + len(m.Name) + len(m.Type) + len(m.Unit)
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
	case fieldRevisionEnd:
		if r.RevisionEnd == nil {
			return index.Value{}
		}
		return timeValue(r.until)
	case fieldRevision:
		if r.Revision == 0 {
			return presentRevision
		}
		return index.Value{Kind: index.Number, Num: float64(r.Revision)}
	case FieldLifespan:
		if r.EndedAt == nil {
			return index.Value{}
		}
		return index.Value{Kind: index.Time, Time: int64(r.ended.Sub(r.StartedAt))}
	}
	return r.Attributes[field]
}

// presentRevision is the number of every present state, in the index alone.
var presentRevision = index.Value{Kind: index.Number, Num: -1}

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
	dst = appendState(beginRecord(dst), r)
	dst = binary.AppendUvarint(dst, uint64(len(r.metrics)))
	for _, m := range r.metrics {
		dst = append(appendText(dst, m.name), m.ID[:]...)
		dst = appendUvarint32(dst, uint32(m.Ref))
	}
	if r.Source != "" || len(r.Meters) > 0 {
		dst = binary.AppendUvarint(appendText(dst, r.Source), uint64(len(r.Meters)))
		for _, m := range r.Meters {
			dst = appendText(appendText(appendText(dst, m.Name), m.Type), m.Unit)
		}
	}
	return endRecord(dst, at)
}

// appendState appends what of a resource revisions have, too.
func appendState(dst []byte, r *resource) []byte {
	dst = append(dst, r.ID[:]...)
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
	return dst
}

// state reads what appendState appends.
func (r *recordReader) state(ord uint32) *resource {
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
	return n
}

func decodeResource(ord uint32, rec []byte) (*resource, error) {
	r := openRecord(rec)
	n := r.state(ord)
	count := r.count(18, "metrics")
	n.metrics = make([]namedMetric, count)
	for i := range n.metrics {
		m := &n.metrics[i]
		m.name, m.ID, m.Ref = r.text("metric"), r.uuid("metric"), Ref(r.ordinal("metric"))
		if i > 0 && strings.Compare(n.metrics[i-1].name, m.name) >= 0 {
			r.fail("order of metrics")
		}
	}
	if r.src != "" {
		n.Source = r.text("source")
		n.Meters = make([]Meter, r.count(3, "meters"))
		for i := range n.Meters {
			n.Meters[i] = Meter{r.text("meter"), r.text("meter"), r.text("meter")}
		}
	}
	return n, r.close()
}
