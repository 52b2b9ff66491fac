package publish

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/telemetrydb/tsdb/server/samples"
	"github.com/telemetrydb/tsdb/server/simplequery"
	"github.com/valyala/fastjson"
)

// What a sample may be made of, as far as the store has a place for it.
const (
	maxMeterChars    = 255
	maxResourceChars = 289
	maxTextChars     = 1024
	maxMetadataBytes = 1 << 20
	firstYear        = 1970
	lastYear         = 2261
)

// decoder makes samples and events of what a message says. It serves one goroutine at a time, or several if they only decode.
type decoder struct {
	source  string // of samples that do not say it
	secret  string // samples have to be signed with it; "": they do not
	objects bool   // those in object form do not, either: they never are
	arrived bool   // they may say when they arrived
}

// fields are the parts of a sample in either of its forms.
type fields struct {
	name, typ, unit, volume, id     *fastjson.Value
	user, project, resource, source *fastjson.Value
	timestamp, metadata, recorded   *fastjson.Value
	message                         bool // form: counter_name, not name
}

// find takes apart an object. The form is that of a message if it has anything that only messages have.
func (f *fields) find(o *fastjson.Object) {
	var object fields
	o.Visit(func(key []byte, v *fastjson.Value) {
		switch string(key) {
		case "counter_name":
			f.name, f.message = v, true
		case "counter_type":
			f.typ, f.message = v, true
		case "counter_unit":
			f.unit, f.message = v, true
		case "counter_volume":
			f.volume, f.message = v, true
		case "message_id":
			f.id = v
		case "name":
			object.name = v
		case "type":
			object.typ = v
		case "unit":
			object.unit = v
		case "volume":
			object.volume = v
		case "id":
			object.id = v
		case "user_id":
			f.user = v
		case "project_id":
			f.project = v
		case "resource_id":
			f.resource = v
		case "source":
			f.source = v
		case "timestamp":
			f.timestamp = v
		case "resource_metadata":
			f.metadata = v
		case "recorded_at":
			f.recorded = v
		}
	})
	if !f.message {
		f.name, f.typ, f.unit, f.volume, f.id = object.name, object.typ, object.unit, object.volume, object.id
	}
}

// sample reads a sample in message form or object form. arrival, in nanoseconds since the Unix epoch, is when it came.
func (d *decoder) sample(v *fastjson.Value, arrival int64) (s samples.Sample, bad *Refusal) {
	o, err := v.Object()
	if err != nil {
		return s, refuse(reasonShape, "a %s, not a sample", v.Type())
	}
	var f fields
	f.find(o)
	if f.name == nil && f.volume == nil {
		return s, refuse(reasonShape, "an object that has neither counter_name nor name")
	}
	if d.secret != "" && (f.message || !d.objects) && !signed(v, d.secret) {
		if !o.Get(signatureField).Exists() {
			return s, refuse(reasonSignature, "a sample that is not signed, of %s", f.about())
		}
		return s, refuse(reasonSignature, "the signature of a sample is wrong, of %s", f.about())
	}
	s.Arrival = arrival
	if d.arrived && f.recorded != nil {
		if s.Arrival, bad = timestamp(f.recorded, arrival); bad != nil {
			return s, refuse(bad.Reason, "%s, of %s", bad.Detail, f.about())
		}
	}
	if bad = f.texts(&s, d.source); bad != nil {
		return s, bad
	}
	if s.Volume, bad = volume(f.volume); bad != nil {
		return s, refuse(bad.Reason, "%s, of %s", bad.Detail, f.about())
	}
	if s.Time, bad = timestamp(f.timestamp, arrival); bad != nil {
		return s, refuse(bad.Reason, "%s, of %s", bad.Detail, f.about())
	}
	if s.Metadata, bad = metadata(f.metadata); bad != nil {
		return s, refuse(bad.Reason, "%s, of %s", bad.Detail, f.about())
	}
	return s, nil
}

// about says which sample it is, for people.
func (f *fields) about() string {
	text := func(v *fastjson.Value) string { return quoted(string(v.GetStringBytes())) }
	return "meter " + text(f.name) + " of resource " + text(f.resource)
}

// texts takes over what is text.
func (f *fields) texts(s *samples.Sample, source string) *Refusal {
	for _, x := range []struct {
		v      *fastjson.Value
		into   *string
		reason string
		name   string
		most   int
		needed bool
	}{
		{f.name, &s.Meter, reasonName, "meter's name", maxMeterChars, true},
		{f.typ, &s.Type, reasonType, "type", maxTextChars, true},
		{f.unit, &s.Unit, reasonUnit, "unit", maxTextChars, false},
		{f.source, &s.Source, reasonOwner, "source", maxTextChars, false},
		{f.id, &s.MessageID, reasonText, "message id", maxTextChars, false},
	} {
		text, bad := textOf(x.v, x.reason, x.name, x.most)
		if bad == nil && text == nil && x.needed {
			bad = refuse(x.reason, "there is no %s", x.name)
		}
		if bad != nil {
			return refuse(bad.Reason, "%s, of %s", bad.Detail, f.about())
		}
		if text != nil {
			*x.into = *text
		}
	}
	if s.Source == "" {
		s.Source = source
	}
	resource, bad := textOf(f.resource, reasonResource, "resource id", maxResourceChars)
	if bad == nil && f.resource == nil {
		bad = refuse(reasonResource, "there is no resource id")
	}
	if resource != nil { // null is the resource without a name
		s.ResourceID = *resource
	}
	if bad == nil {
		s.UserID, bad = textOf(f.user, reasonOwner, "user", maxTextChars)
	}
	if bad == nil {
		s.ProjectID, bad = textOf(f.project, reasonOwner, "project", maxTextChars)
	}
	if bad == nil {
		bad = checkMeter(s.Meter, s.Type)
	}
	if bad != nil {
		return refuse(bad.Reason, "%s, of %s", bad.Detail, f.about())
	}
	return nil
}

// checkMeter refuses names that metrics cannot have, and types that there are not.
func checkMeter(name, typ string) *Refusal {
	switch {
	case name == "":
		return refuse(reasonName, "the meter's name is empty")
	case strings.Contains(name, "/"):
		return refuse(reasonName, "the meter's name has a slash")
	}
	switch typ {
	case "gauge", "delta", "cumulative":
		return nil
	}
	return refuse(reasonType, "the type is %s, not gauge, delta or cumulative", quoted(typ))
}

// textOf reads a text of at most so many characters; null, like nothing, is nil.
func textOf(v *fastjson.Value, reason, name string, most int) (*string, *Refusal) {
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil, nil
	}
	b, err := v.StringBytes()
	if err != nil {
		return nil, refuse(reason, "the %s is a %s, not a text", name, v.Type())
	}
	text := string(b)
	return &text, checkText(text, name, most)
}

func checkText(text, name string, most int) *Refusal {
	switch {
	case !utf8.ValidString(text):
		return refuse(reasonText, "the %s is not UTF-8", name)
	case len(text) > most && utf8.RuneCountInString(text) > most:
		return refuse(reasonText, "the %s is longer than %d characters", name, most)
	}
	return nil
}

// volume reads a finite number, or one that is written as a text.
func volume(v *fastjson.Value) (float64, *Refusal) {
	if v == nil {
		return 0, refuse(reasonVolume, "there is no volume")
	}
	var text string
	switch v.Type() {
	case fastjson.TypeNumber:
		text = string(v.MarshalTo(nil))
	case fastjson.TypeString:
		text = strings.TrimSpace(string(v.GetStringBytes()))
	default:
		return 0, refuse(reasonVolume, "the volume is %s, not a number", v.Type())
	}
	return finite(text)
}

func finite(text string) (float64, *Refusal) {
	for i := range len(text) { // ParseFloat takes more
		if c := text[i]; (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, refuse(reasonVolume, "the volume %s is not a finite number", quoted(text))
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(n, 0) {
		return 0, refuse(reasonVolume, "the volume %s is not a finite number", quoted(text))
	}
	return n, nil
}

// timestamp reads ISO 8601, in nanoseconds since the Unix epoch. Without an offset it is UTC; null is the time of arrival.
func timestamp(v *fastjson.Value, arrival int64) (int64, *Refusal) {
	if v == nil || v.Type() == fastjson.TypeNull {
		return arrival, nil
	}
	b, err := v.StringBytes()
	if err != nil {
		return 0, refuse(reasonTime, "the time is a %s, not a text", v.Type())
	}
	return isoTime(string(b))
}

func isoTime(text string) (int64, *Refusal) {
	t, _, ok := simplequery.ParseISO(strings.TrimSpace(text))
	if !ok {
		return 0, refuse(reasonTime, "%s is no time in ISO 8601", quoted(text))
	}
	return nanos(t)
}

func nanos(t time.Time) (int64, *Refusal) {
	t = t.UTC()
	if y := t.Year(); y < firstYear || y > lastYear {
		return 0, refuse(reasonTime, "the time %s is not of the years %d to %d", t.Format(time.RFC3339), firstYear, lastYear)
	}
	return t.UnixNano(), nil
}

// metadata gives an object as JSON; nil: there is none, or it is empty.
func metadata(v *fastjson.Value) ([]byte, *Refusal) {
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil, nil
	}
	o, err := v.Object()
	if err != nil {
		return nil, refuse(reasonMetadata, "the metadata is a %s, not an object", v.Type())
	}
	if o.Len() == 0 {
		return nil, nil
	}
	b, bad := appendJSON(nil, v, maxDepth)
	if bad == nil && len(b) > maxMetadataBytes {
		bad = refuse(reasonMetadata, "the metadata has %d bytes, the most is %d", len(b), maxMetadataBytes)
	}
	return b, bad
}
