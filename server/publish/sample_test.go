package publish

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/server/samples"
	"github.com/tinylib/msgp/msgp"
	"github.com/valyala/fastjson"
)

const arrival = 1_700_000_000_000_000_000

func text(s string) *string { return &s }

func decode(t *testing.T, json string) (samples.Sample, *Refusal) {
	t.Helper()
	v, err := fastjson.Parse(json)
	if err != nil {
		t.Fatal(err)
	}
	d := decoder{source: "openstack"}
	return d.sample(v, arrival)
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC).UnixNano()

func TestSample(t *testing.T) {
	cpu := samples.Sample{Meter: "cpu", Type: "cumulative", Unit: "ns", Volume: 12, ResourceID: "vm/1", UserID: text("u"), ProjectID: text("p"),
		Source: "here", Time: noon + 678_901_000, Arrival: arrival, MessageID: "m1", Metadata: []byte(`{"vcpus":2,"f":2.0,"n":null,"flavor":{"id":"a\"b"},"l":[1,true]}`)}
	bare := samples.Sample{Meter: "m", Type: "gauge", Volume: 1, Source: "openstack", Time: arrival, Arrival: arrival}
	for _, tc := range []struct {
		name, json string
		want       samples.Sample
	}{
		{"message form", `{"counter_name":"cpu","counter_type":"cumulative","counter_unit":"ns","counter_volume":12,"user_id":"u","project_id":"p",
			"user_name":null,"resource_id":"vm/1","source":"here","timestamp":"2026-01-02T13:00:00.678901+01:00","message_id":"m1",
			"resource_metadata":{"vcpus":2,"f":2.0,"n":null,"flavor":{"id":"a\"b"},"l":[1,true]},"monotonic_time":1.5,"message_signature":"x",
			"publisher_id":"h","name":"not this"}`, cpu},
		{"object form", `{"name":"cpu","type":"cumulative","unit":"ns","volume":"12","user_id":"u","project_id":"p","project_name":"P",
			"resource_id":"vm/1","source":"here","timestamp":"2026-01-02 12:00:00.678901","id":"m1","monotonic_time":null,
			"resource_metadata":{"vcpus":2,"f":2.0,"n":null,"flavor":{"id":"a\"b"},"l":[1,true]}}`, cpu},
		{"little is known", `{"name":"m","type":"gauge","unit":null,"volume":1,"resource_id":null,"timestamp":null,"resource_metadata":{}}`, bare},
		{"the last of equal keys", `{"name":"x","name":"m","type":"gauge","volume":7,"volume":" 1.0 ","resource_id":""}`, bare},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, bad := decode(t, tc.json)
			if bad != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, bad, tc.want)
			}
		})
	}
}

func TestSampleMetadataOfPython(t *testing.T) {
	v, err := fastjson.ParseBytes(sayInf([]byte(`{"name":"m","type":"gauge","volume":1,"resource_id":"Infinity \" Infinity",` +
		`"resource_metadata":{"a":NaN,"b":-Infinity,"c":[Infinity,-1e-07],"d\u0001\n":"\u00e9\u0001"}}`)))
	if err != nil {
		t.Fatal(err)
	}
	s, bad := (&decoder{}).sample(v, 0)
	if want := `{"a":null,"b":null,"c":[null,-1e-07],"d\u0001\n":"é\u0001"}`; bad != nil || string(s.Metadata) != want {
		t.Errorf("%s, %v, want %s", s.Metadata, bad, want)
	}
	if s.ResourceID != `Infinity " Infinity` {
		t.Errorf("a text was changed to %q", s.ResourceID)
	}
}

func TestSampleRefused(t *testing.T) {
	with := func(field, value string) string {
		fields := map[string]string{"name": `"m"`, "type": `"gauge"`, "unit": `"B"`, "volume": "1", "resource_id": `"r"`,
			"user_id": `"u"`, "project_id": `"p"`, "timestamp": `"2026-01-02T12:00:00"`, "resource_metadata": "{}"}
		fields[field] = value
		var parts []string
		for k, v := range fields {
			if v != "" {
				parts = append(parts, `"`+k+`":`+v)
			}
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	if _, bad := decode(t, with("x", "1")); bad != nil {
		t.Fatal(bad)
	}
	deep := strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70)
	for _, tc := range []struct{ name, json, reason, detail string }{
		{"a number", "5", reasonShape, "number"},
		{"an empty object", "{}", reasonShape, "neither"},
		{"no name", with("name", ""), reasonName, "no meter's name"},
		{"a number for a name", with("name", "5"), reasonName, "number"},
		{"an empty name", with("name", `""`), reasonName, "empty"},
		{"a slash", with("name", `"a/b"`), reasonName, "slash"},
		{"a long name", with("name", `"`+strings.Repeat("é", 256)+`"`), reasonText, "255"},
		{"text that is not UTF-8", with("name", "\"\xff\""), reasonText, "UTF-8"},
		{"an unknown type", with("type", `"elev"`), reasonType, `"elev"`},
		{"no type", with("type", ""), reasonType, "no type"},
		{"a unit that is no text", with("unit", "{}"), reasonUnit, "object"},
		{"no volume", with("volume", ""), reasonVolume, "no volume"},
		{"null", with("volume", "null"), reasonVolume, "null"},
		{"true", with("volume", "true"), reasonVolume, "true"},
		{"NaN", with("volume", "NaN"), reasonVolume, "NaN"},
		{"infinity", with("volume", "-Inf"), reasonVolume, "-Inf"},
		{"too much", with("volume", "1e400"), reasonVolume, "1e400"},
		{"a text", with("volume", `"many"`), reasonVolume, "many"},
		{"an empty text", with("volume", `""`), reasonVolume, `""`},
		{"NaN as a text", with("volume", `"nan"`), reasonVolume, "nan"},
		{"hexadecimal", with("volume", `"0x10"`), reasonVolume, "0x10"},
		{"a list", with("volume", "[1]"), reasonVolume, "array"},
		{"no resource", with("resource_id", ""), reasonResource, "no resource id"},
		{"a resource that is no text", with("resource_id", "[]"), reasonResource, "array"},
		{"a long resource id", with("resource_id", `"`+strings.Repeat("x", 290)+`"`), reasonText, "289"},
		{"a user that is no text", with("user_id", "7"), reasonOwner, "number"},
		{"a project that is no text", with("project_id", "false"), reasonOwner, "false"},
		{"no time", with("timestamp", `"soon"`), reasonTime, "soon"},
		{"a number for a time", with("timestamp", "1.5"), reasonTime, "number"},
		{"the year 1", with("timestamp", `"0001-01-01T00:00:00"`), reasonTime, "0001"},
		{"the year 9999", with("timestamp", `"9999-12-31T23:59:59.999999"`), reasonTime, "9999"},
		{"metadata that is no object", with("resource_metadata", `"x"`), reasonMetadata, "string"},
		{"2 MB of metadata", with("resource_metadata", `{"a":"`+strings.Repeat("x", 2<<20)+`"}`), reasonMetadata, "1048576"},
		{"deep metadata", with("resource_metadata", deep), reasonNesting, "64"},
		{"a number that is none", with("resource_metadata", `{"a":1-2}`), reasonFormat, "1-2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, bad := decode(t, tc.json)
			if bad == nil || bad.Reason != tc.reason || !strings.Contains(bad.Detail, tc.detail) || len(bad.Detail) > 600 {
				t.Errorf("%+v, want %s with %q", bad, tc.reason, tc.detail)
			}
		})
	}
}

func TestMsgpack(t *testing.T) {
	for _, tc := range []struct{ packed, want string }{
		{"\x93\x01\xff\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "[1,-1,18446744073709551615]"},
		{"\x82\xa1a\xc0\xc4\x01b\xc3", `{"a":null,"b":true}`},
		{"\x81\x05\xa1x", `{"5":"x"}`},
		{"\xcb\x40\x00\x00\x00\x00\x00\x00\x00", "2.0"},
		{"\xca\x3f\x00\x00\x00", "0.5"},
		{"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", "NaN"},
		{"\xc4\x02\xff\xfe", `"//4="`},
	} {
		got, rest, bad := appendMsgpack(nil, []byte(tc.packed), maxDepth)
		if bad != nil || len(rest) > 0 || string(got) != tc.want {
			t.Errorf("%q: %s, %q, %v, want %s", tc.packed, got, rest, bad, tc.want)
		}
	}
	for _, tc := range []struct{ name, packed, reason string }{
		{"nothing", "", reasonFormat},
		{"cut short", "\xa5ab", reasonFormat},
		{"a text of 4 GB", "\xdb\xff\xff\xff\xffabc", reasonFormat},
		{"bytes of 4 GB", "\xc6\xff\xff\xff\xffabc", reasonFormat},
		{"a list of 4 G", "\xdd\xff\xff\xff\xff\x01\x02", reasonFormat},
		{"a map of 4 G", "\xdf\xff\xff\xff\xff\x01\x02", reasonFormat},
		{"a map cut short", "\x81\xa1a", reasonFormat},
		{"a list as a key", "\x81\x90\x01", reasonFormat},
		{"an extension", "\xd4\x05\x01", reasonFormat},
		{"a reserved byte", "\xc1", reasonFormat},
		{"deep lists", strings.Repeat("\x91", 100) + "\x01", reasonNesting},
		{"deep maps", strings.Repeat("\x81\xa1a", 100) + "\x01", reasonNesting},
	} {
		if _, _, bad := appendMsgpack(nil, []byte(tc.packed), maxDepth); bad == nil || bad.Reason != tc.reason {
			t.Errorf("%s: %v, want %s", tc.name, bad, tc.reason)
		}
	}
}

func TestPythonFloats(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", math.Copysign(0, -1): "-0.0", 1: "1.0", 1e15: "1000000000000000.0", 1e16: "1e+16", 1.5e-7: "1.5e-07", 1e-4: "0.0001",
		1e-5: "1e-05", 123456789.125: "123456789.125", math.MaxFloat64: "1.7976931348623157e+308", math.Inf(-1): "-inf", math.NaN(): "nan",
		5e-324: "5e-324", 0.1: "0.1", 1e22: "1e+22",
	} {
		if got := string(appendPyFloat(nil, f)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func FuzzSampleJSON(f *testing.F) {
	f.Add(`{"name":"m","type":"gauge","volume":"1","resource_id":null,"timestamp":"2026-01-02","resource_metadata":{"a":[1,{"b":NaN}]}}`)
	f.Add(`{"message_id":"m","event_type":"t","generated":"2026-01-02","traits":[["a",2,"5"],{"name":"b","dtype":4,"value":"2020-01-01"}],"raw":[1]}`)
	f.Add(`{"counter_name":"m","counter_type":"gauge","counter_volume":1,"resource_id":"r","message_signature":"x"}`)
	f.Fuzz(func(t *testing.T, in string) {
		v, err := fastjson.ParseBytes(sayInf([]byte(in)))
		if err != nil {
			return
		}
		checkElement(t, v, len(in))
	})
}

// checkElement decodes in each way, and sees to it that what is taken can be stored.
func checkElement(t *testing.T, v *fastjson.Value, most int) {
	d := decoder{source: "openstack"}
	if e, bad := d.event(v, arrival); bad == nil {
		if e.Type == "" || e.Raw != nil && fastjson.ValidateBytes(e.Raw) != nil {
			t.Errorf("%+v", e)
		}
	}
	signed(v, "secret")
	s, bad := d.sample(v, arrival)
	if bad != nil {
		return
	}
	if math.IsNaN(s.Volume) || math.IsInf(s.Volume, 0) || s.Meter == "" || s.Time < 0 {
		t.Errorf("%+v", s)
	}
	if s.Metadata != nil && fastjson.ValidateBytes(s.Metadata) != nil || len(s.Metadata) > 6*most {
		t.Errorf("metadata %s", s.Metadata)
	}
}

func FuzzMsgpack(f *testing.F) {
	f.Add(sampleMessage("m", 1.5))
	f.Add([]byte("\x81\xa1a\xdb\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		json, rest, bad := appendMsgpack(nil, in, maxDepth)
		if bad != nil {
			return
		}
		if len(json) > 30*len(in) || len(rest) >= len(in) {
			t.Fatalf("%d bytes of %d, %d left", len(json), len(in), len(rest))
		}
		v, err := fastjson.ParseBytes(json)
		if err != nil {
			t.Fatalf("%s: %v", json, err)
		}
		checkElement(t, v, len(in)*30)
	})
}

// sampleMessage is a sample as the udp publisher sends it.
func sampleMessage(name string, volume float64) []byte {
	b := msgp.AppendMapHeader(nil, 9)
	for _, f := range []struct{ key, value string }{{"source", "openstack"}, {"counter_name", name}, {"counter_type", "gauge"},
		{"counter_unit", "%"}, {"resource_id", "vm"}, {"timestamp", "2026-01-02T12:00:00+00:00"}, {"message_id", "id"}} {
		b = msgp.AppendString(msgp.AppendString(b, f.key), f.value)
	}
	b = msgp.AppendFloat64(msgp.AppendString(b, "counter_volume"), volume)
	b = msgp.AppendMapHeader(msgp.AppendString(b, "resource_metadata"), 1)
	return msgp.AppendInt(msgp.AppendString(b, "vcpus"), 2)
}
