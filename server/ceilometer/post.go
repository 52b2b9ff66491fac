package ceilometer

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/server/samples"
	"github.com/telemetrydb/tsdb/server/simplequery"
	"github.com/valyala/fastjson"
)

var postArguments = simplequery.Arguments{Scalars: []string{"direct"}}

// posted is a sample of a request, and what its answer says of it.
type posted struct {
	samples.Sample
	source    string            // as it was given
	flat      map[string]string // metadata, as far as the decoder has seen them
	metadata  *sentMetadata
	timestamp string // as it is answered with
	recorded  string // likewise; "": not given
	messageID string
}

// postSamples stores samples of a meter. Whatever is said of direct, they are there when the request is answered.
func (c *call) postSamples(name string) error {
	if _, err := postArguments.Parse(c.r.URL.RawQuery); err != nil {
		return err
	}
	raw, err := c.read(c.o.MaxBodyBytes)
	if err != nil {
		return err
	}
	all, err := c.cut(raw).samples(c.parse)
	if err != nil {
		return err
	}
	now := c.o.Now().UTC()
	batch := make([]samples.Sample, len(all))
	for i := range all {
		if err := c.complete(&all[i], name, now); err != nil {
			return err
		}
		batch[i] = all[i].Sample
	}
	write := c.store.Write
	if _, limited := c.who.scope(); limited {
		write = c.store.WriteGuarded
	}
	ids, err := write(c.r.Context(), batch)
	if err != nil {
		return refusedSample(err)
	}
	b := append(c.begin(), '[')
	for i := range all {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = all[i].append(b, ids[i])
	}
	return c.end(http.StatusCreated, append(b, ']'))
}

// samples gives the samples in the body.
func (b *cutBody) samples(parse func(text []byte) (*fastjson.Value, error)) ([]posted, error) {
	v, err := parse(b.text)
	if err != nil {
		return nil, err
	}
	list, err := samplesIn(v)
	if err != nil {
		return nil, err
	}
	all := make([]posted, len(list))
	for i, v := range list {
		if err := all[i].read(v); err != nil {
			return nil, err
		}
		all[i].metadata = b.of(i, all[i].flat)
	}
	return all, nil
}

// samplesIn gives the samples in a body.
func samplesIn(v *fastjson.Value) ([]*fastjson.Value, error) {
	none := badRequest("Samples should be included in request body")
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil, none
	}
	if v.Type() == fastjson.TypeObject {
		inner := v.Get("samples")
		if inner == nil {
			return nil, invalid("samples", shortened(v), "A list of samples is expected.")
		}
		if v.GetObject().Len() > 1 {
			return nil, badRequest("Unknown argument: " + strconv.Quote(otherKey(v, "samples")))
		}
		v = inner
	}
	list, err := v.Array()
	if err != nil {
		return nil, invalid("samples", shortened(v), "A list of samples is expected.")
	}
	if len(list) == 0 {
		return nil, none
	}
	return list, nil
}

func otherKey(v *fastjson.Value, known string) (other string) {
	v.GetObject().Visit(func(key []byte, _ *fastjson.Value) {
		if string(key) != known {
			other = string(key)
		}
	})
	return other
}

// shortened is a value as an error shows it.
func shortened(v *fastjson.Value) string {
	const most = 200
	s := string(v.MarshalTo(nil))
	if v.Type() == fastjson.TypeString {
		s = string(v.GetStringBytes())
	}
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// read takes a sample from a body.
func (p *posted) read(v *fastjson.Value) error {
	o, err := v.Object()
	if err != nil {
		return invalid("samples", shortened(v), "A sample is an object.")
	}
	given := map[string]bool{}
	var bad error
	o.Visit(func(key []byte, v *fastjson.Value) {
		if bad == nil {
			given[string(key)] = v.Type() != fastjson.TypeNull
			bad = p.attribute(string(key), v)
		}
	})
	if bad != nil {
		return bad
	}
	for _, name := range []string{"counter_name", "counter_type", "counter_unit", "counter_volume", "resource_id"} {
		if !given[name] {
			return invalid(name, "None", "Mandatory field missing.")
		}
	}
	return nil
}

func (p *posted) attribute(name string, v *fastjson.Value) (err error) {
	null := v.Type() == fastjson.TypeNull
	opt := func(into **string) error {
		if null {
			return nil
		}
		*into = new(string)
		return textOf(name, v, *into)
	}
	str := func(into *string) error {
		if null {
			return nil
		}
		return textOf(name, v, into)
	}
	switch name {
	case "counter_name":
		return str(&p.Meter)
	case "counter_type":
		return str(&p.Type)
	case "counter_unit":
		return str(&p.Unit)
	case "resource_id":
		return str(&p.ResourceID)
	case "user_id":
		return opt(&p.UserID)
	case "project_id":
		return opt(&p.ProjectID)
	case "source":
		return str(&p.source)
	case "message_id":
		return str(&p.messageID)
	case "counter_volume":
		p.Volume, err = volumeOf(v)
		return err
	case "timestamp":
		p.Time, p.timestamp, err = timeOf(v)
		return err
	case "recorded_at":
		_, p.recorded, err = timeOf(v)
		return err
	case "resource_metadata":
		return p.readMetadata(v)
	}
	return badRequest("Unknown attribute for argument samples: " + name)
}

func textOf(name string, v *fastjson.Value, into *string) error {
	b, err := v.StringBytes()
	if err != nil {
		return invalid(name, shortened(v), "Wrong type. Expected a string.")
	}
	*into = string(b)
	return nil
}

// volumeOf reads a number, which may be in a string.
func volumeOf(v *fastjson.Value) (float64, error) {
	bad := invalid("samples", shortened(v), "A counter_volume is a finite number.")
	s := ""
	switch v.Type() {
	case fastjson.TypeNumber:
		s = string(v.MarshalTo(nil))
	case fastjson.TypeString:
		s = strings.TrimSpace(string(v.GetStringBytes()))
	default:
		return 0, bad
	}
	f, ok := anyPythonFloat(s)
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, bad
	}
	return f, nil
}

// timeOf reads a time, with its offset applied, and gives the text that answers have for it. null: none.
func timeOf(v *fastjson.Value) (nanos int64, shown string, err error) {
	if v.Type() == fastjson.TypeNull {
		return 0, "", nil
	}
	s, err := v.StringBytes()
	if err != nil {
		return 0, "", invalid("samples", shortened(v), "A time is a string in ISO 8601.")
	}
	t, zoned, ok := simplequery.ParseISO(string(s))
	if !ok {
		return 0, "", invalid("samples", string(s), "invalid timestamp format")
	}
	return simplequery.Nanos(t), isoText(t, zoned), nil
}

// isoText is a time as Python's isoformat() has it.
func isoText(t time.Time, zoned bool) string {
	layout := "2006-01-02T15:04:05"
	if t.Nanosecond()/1000 > 0 {
		layout += ".000000"
	}
	if zoned {
		layout += "-07:00"
	}
	return t.Format(layout)
}

func (p *posted) readMetadata(v *fastjson.Value) (bad error) {
	if v.Type() == fastjson.TypeNull {
		return nil
	}
	o, err := v.Object()
	if err != nil {
		return invalid("samples", shortened(v), "resource_metadata is an object.")
	}
	o.Visit(func(key []byte, v *fastjson.Value) {
		s, err := v.StringBytes()
		if err != nil && bad == nil {
			bad = invalid("resource_metadata", shortened(v), "Wrong type. Expected a string.")
		}
		if p.flat == nil {
			p.flat = make(map[string]string, o.Len())
		}
		p.flat[string(key)] = string(s)
	})
	return bad
}

// complete checks a sample, and fills in what it does not say.
func (c *call) complete(p *posted, name string, now time.Time) error {
	if p.Meter != name {
		return invalid("counter_name", p.Meter, "should be "+name)
	}
	if p.messageID != "" {
		return invalid("message_id", p.messageID, "The message_id must not be set")
	}
	if !slices.Contains([]string{"gauge", "delta", "cumulative"}, p.Type) {
		return invalid("counter_type", p.Type, "The counter type must be: gauge, delta, cumulative")
	}
	if p.UserID == nil || *p.UserID == "" {
		p.UserID = c.who.user
	}
	if p.ProjectID == nil || *p.ProjectID == "" {
		p.ProjectID = c.who.project
	}
	project := "None"
	if p.ProjectID != nil {
		project = *p.ProjectID
	}
	if p.source == "" {
		p.source = c.o.Source
	}
	p.Source = project + ":" + p.source
	if p.timestamp == "" {
		p.Time, p.timestamp = now.UnixNano(), isoText(now, false)
	}
	if own, limited := c.who.scope(); limited && (p.ProjectID == nil || *p.ProjectID != own) {
		return invalid("project_id", project, "can not post samples to other projects")
	}
	if p.Time < samples.MinTime || p.Time >= samples.MaxTime {
		return invalid("samples", p.timestamp, "Times from 1970 to 2261 can be stored.")
	}
	p.Metadata = p.metadata.made
	return nil
}

// nested makes objects of keys with dots in them, as JSON.
func nested(flat map[string]string) []byte {
	if len(flat) == 0 {
		return nil
	}
	top := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(flat)) {
		if s := flat[key]; !put(top, strings.Split(key, "."), s) {
			top[key] = s // a level of it is a text: filters find it all the same
		}
	}
	b, err := json.Marshal(top)
	if err != nil { // there are only objects and strings
		return nil
	}
	return b
}

// put puts a text at a path, unless there is something that is no object on its way, or something at its end.
func put(level map[string]any, path []string, s string) bool {
	const deepest = 64
	if len(path) > deepest {
		return false
	}
	for _, key := range path[:len(path)-1] {
		below, ok := level[key]
		if !ok {
			below = map[string]any{}
			level[key] = below
		}
		if level, ok = below.(map[string]any); !ok {
			return false
		}
	}
	last := path[len(path)-1]
	if _, ok := level[last]; ok {
		return false
	}
	level[last] = s
	return true
}

// append appends the sample as it is answered with.
func (p *posted) append(b []byte, id string) []byte {
	b = append(appendText(append(b, `{"counter_name": `...), p.Meter), `, "counter_type": `...)
	b = append(appendText(b, p.Type), `, "counter_unit": `...)
	b = append(appendText(b, p.Unit), `, "counter_volume": `...)
	b = append(appendFloat(b, p.Volume), `, "resource_id": `...)
	b = append(appendText(b, p.ResourceID), `, "user_id": `...)
	b = append(appendOptText(b, p.UserID), `, "project_id": `...)
	b = append(appendOptText(b, p.ProjectID), `, "source": `...)
	b = append(appendText(b, p.Source), `, "timestamp": `...)
	b = appendText(b, p.timestamp)
	if p.recorded != "" {
		b = appendText(append(b, `, "recorded_at": `...), p.recorded)
	}
	b = append(b, `, "resource_metadata": {`...)
	b = append(b, p.metadata.shown...)
	return append(appendText(append(b, `}, "message_id": `...), id), '}')
}

// refusedSample turns an error of the store into an answer.
func refusedSample(err error) error {
	var bad *samples.SampleError
	if !errors.As(err, &bad) {
		return err
	}
	field := bad.Field
	if field == "timestamp" || field == "counter_volume" {
		field = "samples"
	}
	return invalid(field, bad.Value, "It "+bad.Reason+".")
}
