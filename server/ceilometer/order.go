package ceilometer

import (
	"cmp"
	"strings"

	"github.com/telemetrydb/tsdb/engine"
)

// orderKey is a field that samples are ordered by.
type orderKey struct {
	field string
	desc  bool
}

func badOrder(reason string) error { return badRequest("Order-by expression not valid: " + reason) }

// parseOrder reads an order: a list of objects of one member.
func parseOrder(s string) ([]orderKey, error) {
	x, err := decodeJSON(s)
	if err != nil {
		return nil, badOrder("it is no JSON")
	}
	list, ok := x.([]any)
	if !ok {
		return nil, badOrder(pythonText(x) + " is no list")
	}
	keys := make([]orderKey, 0, len(list))
	for _, x := range list {
		m, ok := x.(map[string]any)
		if !ok || len(m) != 1 {
			return nil, badOrder(pythonText(x) + " is no object with one member")
		}
		for name, direction := range m {
			field := exprFields[name]
			d, _ := direction.(string)
			d = strings.ToLower(d)
			if field == "" {
				return nil, badOrder("'" + name + "' is no field")
			}
			if d != "asc" && d != "desc" {
				return nil, badOrder(pythonText(direction) + " is no direction")
			}
			keys = append(keys, orderKey{field, d == "desc"})
		}
	}
	return keys, nil
}

// orderedSample is a sample with what it is ordered by.
type orderedSample struct {
	ref     engine.Ref
	time    int64
	volume  float64
	context engine.ContextRef
	arrival int64
	seq     uint32
	texts   []*string // of the keys that are texts, in their order; nil: null
	id      string    // if it is ordered by
	nth     int       // in the order of reading
}

// compareSamples compares two samples by the keys: as the keys say, then in the order of reading.
func compareSamples(keys []orderKey, a, b *orderedSample) int {
	texts := 0
	for _, k := range keys {
		c := 0
		switch k.field {
		case "timestamp":
			c = cmp.Compare(floorDiv(a.time, milli), floorDiv(b.time, milli))
		case "recorded_at":
			c = cmp.Compare(a.arrival, b.arrival)
		case "volume":
			c = cmp.Compare(a.volume, b.volume)
		case "message_id":
			c = strings.Compare(a.id, b.id)
		case "message_signature", "resource_metadata": // not kept; not comparable
		default:
			c = compareTexts(a.texts[texts], b.texts[texts])
			texts++
		}
		if k.desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(a.nth, b.nth)
}

// compareTexts puts null first.
func compareTexts(a, b *string) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return strings.Compare(*a, *b)
}

// textsOf gives the texts that samples of a meter and a context are ordered by.
func textsOf(keys []orderKey, m *meter, c *engine.Context) (out []*string) {
	for _, k := range keys {
		switch k.field {
		case "meter":
			out = append(out, &m.name)
		case "resource_id":
			out = append(out, &m.resource.OriginalID)
		case "type":
			out = append(out, &c.Type)
		case "unit":
			out = append(out, &c.Unit)
		case "source":
			out = append(out, &c.Source)
		case "user_id":
			out = append(out, c.UserID)
		case "project_id":
			out = append(out, c.ProjectID)
		}
	}
	return out
}

// best keeps the samples that come first, as a heap of which the last one is on top.
type best struct {
	keys []orderKey
	list []*orderedSample
}

// Len is heap.Interface's.
func (b *best) Len() int { return len(b.list) }

// Less is heap.Interface's.
func (b *best) Less(i, j int) bool { return compareSamples(b.keys, b.list[i], b.list[j]) > 0 }

// Swap is heap.Interface's.
func (b *best) Swap(i, j int) { b.list[i], b.list[j] = b.list[j], b.list[i] }

// Push is heap.Interface's.
func (b *best) Push(x any) { b.list = append(b.list, x.(*orderedSample)) }

// Pop is heap.Interface's.
func (b *best) Pop() any {
	n := len(b.list) - 1
	x := b.list[n]
	b.list = b.list[:n]
	return x
}
