package publish

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/server/samples"
	"github.com/valyala/fastjson"
)

// bodyDoors are doors without a database, for those who only decode.
func bodyDoors(keepIDs bool) *Doors {
	return New(samples.New(nil, &samples.Options{KeepMessageIDs: keepIDs}), &Options{Now: func() time.Time { return time.Unix(0, arrival) }})
}

// decoded is what a body comes to before it is stored.
func decoded(t *testing.T, d *Doors, text string, take func(in *intake, b *received) error) (in *intake, err error) {
	t.Helper()
	in = d.intake(protocolHTTP, peerText("test"), "")
	in.decoder.objects = true
	b := newReceived(t, d, text)
	return in, take(in, &b) // not released: what was recognized may be looked at
}

func plainly(in *intake, b *received) error { return in.parse(b, in.elements) }

// checkFamiliar decodes bodies one after the other by what came before, and wants what decoding each anew gives.
func checkFamiliar(t *testing.T, keepIDs bool, texts ...string) (recognized int) {
	t.Helper()
	d := bodyDoors(keepIDs)
	for _, text := range texts {
		got, gotErr := decoded(t, d, text, func(in *intake, b *received) error {
			if g, ok := in.glance(b.bytes); ok {
				recognized += len(g.known)
				g.release()
			}
			return in.body(b)
		})
		want, wantErr := decoded(t, d, text, plainly)
		if gotErr != wantErr {
			t.Fatalf("%q: error %v, want %v", text, gotErr, wantErr)
		}
		if !keepIDs {
			for i := range want.samples {
				want.samples[i].MessageID = ""
			}
			for i := range got.samples {
				got.samples[i].MessageID = ""
			}
		}
		if len(got.samples) != len(want.samples) || len(want.samples) > 0 && !reflect.DeepEqual(got.samples, want.samples) {
			t.Fatalf("%q:\ngot  %+v\nwant %+v", text, got.samples, want.samples)
		}
		if !reflect.DeepEqual(got.events, want.events) || !reflect.DeepEqual(got.refused, want.refused) || !reflect.DeepEqual(got.last, want.last) {
			t.Fatalf("%q:\ngot  %+v %v %v\nwant %+v %v %v", text, got.events, got.refused, got.last, want.events, want.refused, want.last)
		}
	}
	return recognized
}

func TestFamiliar(t *testing.T) {
	const message = `{"counter_name":"m","counter_type":"gauge","counter_unit":"%","counter_volume":1.5,"resource_id":"r","project_id":"p",` +
		`"resource_metadata":{"a":"b","c":{"d":[1,NaN,"\u00e9}"]}},"timestamp":"2026-01-02T12:00:00","message_id":"1"}`
	with := func(from, to string) string { return strings.ReplaceAll(message, from, to) }
	object := strings.NewReplacer("counter_", "", "message_id", "id").Replace(message)
	for _, tc := range []struct {
		name       string
		before, it string
		want       int // elements of it that are recognized
	}{
		{"the same", message, message, 1},
		{"a list", message, " [ " + message + " ,\n" + message + "]\t", 2},
		{"blanks before", message, "\n\t " + message, 1},
		{"what is new in between", message, "[" + message + "," + with(`"r"`, `"s"`) + "," + message + "]", 2},
		{"time and volume", message, "[" + with("1.5", "-2e3") + "," + with("12:00:00", "12:00:01+01:00") + "]", 2},
		{"no time", message, with(`"2026-01-02T12:00:00"`, "null"), 1},
		{"object form", object, object, 1},
		{"object form after message form", message, object, 0},
		{"no metadata", message, with(`{"a":"b","c":{"d":[1,NaN,"\u00e9}"]}}`, "null"), 1},
		{"other metadata", message, with(`"b"`, `"B"`), 0},
		{"metadata with more behind", message, with(`}},`, `},"x":1},`), 0},
		{"metadata of another kind", message, with(`{"a":"b","c":{"d":[1,NaN,"\u00e9}"]}}`, `["a"]`), 0},
		{"other order", message, `{"message_id":"2",` + message[1:len(message)-len(`,"message_id":"1"}`)] + "}", 1},
		{"what nobody looks at", message, with(`"message_id"`, `"monotonic_time":-1.5,"user_name":null,"message_signature":"x","message_id"`), 1},
		{"what nobody looks at, nested", message, with(`"message_id"`, `"other":[1],"message_id"`), 0},
		{"a volume that is a text", message, with("1.5", `"1.5"`), 0},
		{"a volume that is none", message, with("1.5", "1.5.5"), 0},
		{"too large a volume", message, with("1.5", "1e999"), 0},
		{"not finite", message, with("1.5", "-Infinity"), 0},
		{"a time that is none", message, with("12:00:00", "25:00:00"), 0},
		{"a number for a time", message, with(`"2026-01-02T12:00:00"`, "5"), 0},
		{"escapes in a key", message, with(`"message_id"`, `"message\u005fid"`), 0},
		{"escapes in a text", message, with(`"r"`, `"\u0072"`), 0},
		{"a key twice", message, with(`"message_id"`, `"resource_id":"s","message_id"`), 0},
		{"metadata twice", message, with(`"message_id"`, `"resource_metadata":{},"message_id"`), 0},
		{"both forms", message, with(`"message_id"`, `"name":"other","message_id"`), 0},
		{"an event", message, with(`"message_id"`, `"event_type":"t","traits":[],"message_id"`), 0},
		{"events between", message, "[" + message + `,{"message_id":"e","event_type":"t","generated":"2026-01-02","traits":[]},` + message + "]", 2},
		{"an id that is none", message, with(`"1"`, "1"), 0},
		{"an id that is no UTF-8", message, with(`"1"`, "\"\xff\""), 0},
		{"a long id", message, with(`"1"`, `"`+strings.Repeat("x", maxTextChars+1)+`"`), 0},
		{"no name", message, with(`"counter_name":"m",`, ""), 0},
		{"a list in the list", message, "[[" + message + "]]", 0},
		{"something else in the list", message, "[" + message + ",5]", 0},
		{"cut short", message, message[:len(message)-1], 0},
		{"a bracket too many", message, "[" + message + "]]", 0},
		{"a comma too many", message, "[" + message + ",]", 0},
		{"broken behind what is recognized", message, "[" + message + `,{"name":"m]`, 0},
		{"broken, in brackets", message, "[" + message + `,{"name":}]`, 1},
		{"nothing", message, "", 0},
		{"an empty list", message, "[ ]", 0},
		{"nested too deep", message, "[" + message + "," + with(`"b"`, strings.Repeat("[", 70)+strings.Repeat("]", 70)) + "]", 1},
		{"nested deeper than the parser goes", message, with(`"message_id"`, `"other":`+strings.Repeat("[", 299)+strings.Repeat("]", 299)+`,"message_id"`), 0},
	} {
		for _, keepIDs := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/ids=%v", tc.name, keepIDs), func(t *testing.T) {
				before := checkFamiliar(t, keepIDs, tc.before)
				if got := checkFamiliar(t, keepIDs, tc.before, tc.it) - before; got != tc.want {
					t.Errorf("%d elements were recognized, want %d", got, tc.want)
				}
				checkFamiliar(t, keepIDs, tc.it, tc.it, tc.before, tc.it)
				list := "[" + tc.before + "," + tc.before + "," + tc.before + "]" // what follows is expected to be the same again
				checkFamiliar(t, keepIDs, list, list, list, "["+tc.before+","+strings.Trim(tc.it, " []\n\t")+","+tc.before+"]", list)
			})
		}
	}
}

// TestShapes: what follows what is known, and what is forgotten.
func TestShapes(t *testing.T) {
	d, s := bodyDoors(false), newSecond(0)
	walks := func(body []byte) (n int) {
		in := d.intake(protocolHTTP, peerText("test"), "")
		g, ok := in.glance(body)
		if !ok || len(g.known) != 70 {
			t.Fatalf("%v, %d elements are recognized", ok, len(g.known))
		}
		n = g.walks
		g.release()
		return n
	}
	if _, err := decoded(t, d, string(s.at(0)), (*intake).body); err != nil {
		t.Fatal(err)
	}
	for n, want := range []int{70, 1, 1} { // the first element of a body follows nothing
		if got := walks(s.at(n + 1)); got != want {
			t.Errorf("body %d: %d elements were taken apart, want %d", n, got, want)
		}
	}
	checkFamiliar(t, true, string(s.at(0)), string(s.at(1)), string(s.at(2)), string(s.at(3)))
}

// TestFamiliarLong: a minute of the founding measurement in one body is looked at, more elements than are noted are not.
func TestFamiliarLong(t *testing.T) {
	d, s := bodyDoors(false), newSecond(0)
	var long [][]byte
	for n := range 60 {
		long = append(long, bytes.Trim(bytes.Clone(s.at(n)), "[]"))
	}
	body := fmt.Appendf(nil, "[%s]", bytes.Join(long, []byte{','}))
	if _, err := decoded(t, d, string(body), (*intake).body); err != nil {
		t.Fatal(err)
	}
	in := d.intake(protocolHTTP, peerText("test"), "")
	g, ok := in.glance(body)
	if !ok || len(g.known) != 4200 {
		t.Fatalf("%v: %d bytes are not recognized", ok, len(body))
	}
	g.release()
	if _, ok := in.glance(fmt.Appendf(nil, "[%s{}]", bytes.Repeat([]byte("{},"), maxFamiliar/2))); ok {
		t.Error("a body of very many elements is looked at")
	}
}

// TestFamiliarMessages: what is one sample as a message is not several.
func TestFamiliarMessages(t *testing.T) {
	h := newHouse(t, nil)
	in := h.intake("test", peerText("test"), "")
	one := sampleMessage("m", 1.5)
	for range 3 {
		in.message(nil, one)
	}
	in.message(nil, append([]byte("\x92"), bytes.Repeat(one, 2)...))
	if len(in.samples) != 3 || in.refused[reasonShape] != 1 || !reflect.DeepEqual(in.samples[0].Metadata, in.samples[2].Metadata) {
		t.Errorf("%+v %v", in.samples, in.refused)
	}
}

// TestFamiliarMutated publishes bodies of which bytes are changed, cut and doubled, after the sound one.
func TestFamiliarMutated(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	s := newSecond(0)
	var elements []string
	list, err := fastjson.ParseBytes(s.at(5))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range list.GetArray()[:3] {
		elements = append(elements, string(v.MarshalTo(nil)))
	}
	elements = append(elements, `{"name":"m","type":"gauge","volume":1,"resource_id":null,"timestamp":null,"resource_metadata":{"a":[{"b":"\"}"}]},"id":"x"}`)
	sound := "[" + strings.Join(elements, ",") + "]"
	const odd = "{}[]\",:\\ \x00\xff09.-+eEnIN"
	for range 600 {
		b := []byte(sound)
		for range 1 + r.IntN(3) {
			at := r.IntN(len(b))
			switch r.IntN(4) {
			case 0:
				b[at] = odd[r.IntN(len(odd))]
			case 1:
				b = append(b[:at], b[min(len(b), at+1+r.IntN(40)):]...)
			case 2:
				b = append(b[:at:at], append([]byte{odd[r.IntN(len(odd))]}, b[at:]...)...)
			case 3:
				to := min(len(b), at+r.IntN(200))
				b = append(b[:to:to], b[at:]...)
			}
			if len(b) == 0 {
				break
			}
		}
		checkFamiliar(t, r.IntN(2) == 0, sound, sound, sound, string(b), string(b), sound)
	}
}

func FuzzFamiliar(f *testing.F) {
	f.Add(`[{"counter_name":"m","counter_type":"gauge","counter_volume":1,"resource_id":"r","resource_metadata":{"a":"b"},"message_id":"1"}]`,
		`{"counter_name":"m","counter_type":"gauge","counter_volume":-2.5,"resource_id":"r","resource_metadata":{"a":"b"},"timestamp":"2026-01-02"}`)
	f.Add(`{"name":"m","type":"gauge","volume":1,"resource_id":null,"resource_metadata":{"a":[1,{"b":NaN}]}}`,
		`[{"name":"m","type":"gauge","volume":"1","resource_id":null,"resource_metadata":{"a":[1,{"b":NaN}]}},{"event_type":"t"}]`)
	f.Fuzz(func(t *testing.T, before, text string) {
		list := "[" + before + "," + before + "]"
		checkFamiliar(t, true, before, text, text, list, list, "["+before+","+text+"]")
	})
}
