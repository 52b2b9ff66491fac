package ceilometer

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/server/simplequery"
)

// A fieldSet says which fields the filters of an endpoint may have.
type fieldSet struct {
	valid     []string // sorted; those of metadata and time beside
	timed     bool
	keepEmpty bool // an empty value is compared; else it is no filter
	none      bool // the value None stands for null
}

var (
	sampleFields   = fieldSet{valid: []string{"message_id", "meter", "project", "resource", "source", "user"}, timed: true}
	resourceFields = fieldSet{valid: []string{"project", "resource", "source", "user"}, timed: true, keepEmpty: true}
	meterFields    = fieldSet{valid: []string{"project", "resource", "source", "user"}, keepEmpty: true, none: true}
)

// A filter selects samples, resources or meters: those that meet all its conditions.
type filter struct {
	texts    map[string]*string // by field as fieldSet has it; nil: null
	metadata []metadataFilter   // paths differ
	times    timeRange
}

type metadataFilter struct {
	path string
	want value
}

// timeRange is what samples are selected by. As Ceilometer keeps milliseconds, the digits beyond them count neither in the bounds nor
// in the samples.
type timeRange struct {
	from, to     int64 // nanoseconds since the Unix epoch, to is outside
	lower, upper bool  // whether there is a bound
	origin       int64 // the lower bound, in milliseconds
	asked        [2]int64
}

var allTime = timeRange{from: math.MinInt64, to: math.MaxInt64}

// parseFilter reads the filters of a request by the fields that its endpoint has. It also limits the request to the caller's project.
func parseFilter(qs []simplequery.Filter, fields *fieldSet, who identity) (*filter, error) {
	if err := scopeOf(qs, who); err != nil {
		return nil, err
	}
	f := &filter{texts: map[string]*string{}, times: allTime}
	if err := f.times.read(qs, fields.timed); err != nil {
		return nil, err
	}
	for _, q := range qs {
		if q.Field == "timestamp" || q.Field == "search_offset" {
			continue
		}
		if err := f.add(q, qs, fields); err != nil {
			return nil, err
		}
	}
	if project, limited := who.scope(); limited {
		f.texts["project"] = &project
	}
	return f, nil
}

// scopeOf refuses filters for another project than the caller's.
func scopeOf(qs []simplequery.Filter, who identity) error {
	project, limited := who.scope()
	if !limited {
		return nil
	}
	for _, q := range qs {
		if shortName(q.Field) == "project" && q.Value != project {
			return notAuthorized(q.Value)
		}
	}
	return nil
}

// shortName is a field's name without _id, for those that have both.
func shortName(field string) string {
	switch field {
	case "user_id", "project_id", "resource_id":
		return strings.TrimSuffix(field, "_id")
	}
	return field
}

// metadataPath is the path that a field names; not ok if it is no metadata.
func metadataPath(field string) (path string, ok bool) {
	return strings.CutPrefix(strings.TrimPrefix(field, "resource_"), "metadata.")
}

// add takes over a condition that is not about time.
func (f *filter) add(q simplequery.Filter, qs []simplequery.Filter, fields *fieldSet) error {
	path, isMetadata := metadataPath(q.Field)
	name := shortName(q.Field)
	if !isMetadata && !slices.Contains(fields.valid, name) {
		return unknownField(name, qs, fields)
	}
	if q.Op != "eq" {
		return invalid("op", q.Op, "unimplemented operator for "+q.Field)
	}
	if isMetadata {
		want, err := metadataValue(q.Value, q.Type)
		f.metadata = slices.DeleteFunc(f.metadata, func(m metadataFilter) bool { return m.path == path })
		f.metadata = append(f.metadata, metadataFilter{path, want})
		return err
	}
	switch {
	case q.Value == "" && !fields.keepEmpty:
		delete(f.texts, name)
	case q.Value == "None" && fields.none && name != "source":
		f.texts[name] = nil
	default:
		f.texts[name] = &q.Value
	}
	return nil
}

func unknownField(name string, qs []simplequery.Filter, fields *fieldSet) error {
	var given []string
	for _, q := range qs {
		typ := q.Type
		if typ == "" {
			typ = "None"
		}
		given = append(given, fmt.Sprintf("<Query '%s' %s '%s' %s>", q.Field, q.Op, q.Value, typ))
	}
	valid := slices.Clone(fields.valid)
	if fields.timed {
		valid = append(valid, "search_offset", "timestamp")
		slices.Sort(valid)
	}
	return badRequest(fmt.Sprintf(`Unknown argument: "%s": unrecognized field in query: [%s], valid keys: ['%s']`,
		name, strings.Join(given, ", "), strings.Join(valid, "', '")))
}

// read takes over the conditions about time. Of several lower bounds the last one counts, likewise of upper ones.
func (r *timeRange) read(qs []simplequery.Filter, allowed bool) error {
	offset, hasTime, hasOffset := int64(0), false, false
	var ops [2]string
	for _, q := range qs {
		if q.Field != "timestamp" && q.Field != "search_offset" {
			continue
		}
		if !allowed {
			return badRequest(`Unknown argument: "` + q.Field + `": not valid for this resource`)
		}
		if q.Field == "search_offset" {
			if q.Op != "eq" {
				return invalid("op", q.Op, "unimplemented operator for search_offset")
			}
			minutes, err := simplequery.ParseInt("search_offset", q.Value)
			if err != nil {
				return err
			}
			hasOffset, offset = true, min(max(minutes, -maxOffset), maxOffset)*int64(time.Minute)
			continue
		}
		side := slices.Index([]string{"g", "l"}, q.Op[:1])
		if side < 0 || q.Op[1:] != "t" && q.Op[1:] != "e" {
			return invalid("op", q.Op, "unimplemented operator for timestamp")
		}
		at, err := simplequery.ParseTime("timestamp", q.Value)
		if err != nil {
			return err
		}
		hasTime = true
		ops[side], r.asked[side] = q.Op, at
	}
	if hasOffset && !hasTime {
		return invalid("field", "search_offset", "search_offset cannot be used without timestamp")
	}
	if ops[0] != "" {
		r.lower = true
		r.origin = floorDiv(saturated(r.asked[0], -offset), milli)
		r.from = afterMillis(r.origin, ops[0] == "gt")
	}
	if ops[1] != "" {
		r.upper = true
		r.to = afterMillis(floorDiv(saturated(r.asked[1], offset), milli), ops[1] == "le")
	}
	return nil
}

const maxOffset = 100 * 365 * 24 * 60 // minutes: longer than there is time

// saturated is t+d, or the end of time.
func saturated(t, d int64) int64 {
	sum := t + d
	switch {
	case d > 0 && sum < t:
		return math.MaxInt64
	case d < 0 && sum > t:
		return math.MinInt64
	}
	return sum
}

// afterMillis is the beginning of a millisecond, or of the one after it, in nanoseconds.
func afterMillis(ms int64, next bool) int64 {
	if next {
		ms++
	}
	switch {
	case ms > math.MaxInt64/milli:
		return math.MaxInt64
	case ms < math.MinInt64/milli:
		return math.MinInt64
	}
	return ms * milli
}
