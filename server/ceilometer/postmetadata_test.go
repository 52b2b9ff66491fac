package ceilometer

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

func parseAlone(text []byte) (*fastjson.Value, error) {
	v, err := new(fastjson.Parser).ParseBytes(text)
	if err != nil || !utf8.Valid(text) {
		return nil, badRequest("Request is not in valid JSON format")
	}
	return v, nil
}

// checkCut reads bodies one after the other without metadata that came before, and wants what reading each as a whole gives. It tells how many
// were cut.
func checkCut(t *testing.T, texts ...string) (cuts int) {
	t.Helper()
	h := &handler{}
	for _, text := range texts {
		cut := h.cut([]byte(text))
		if string(cut.text) != text {
			cuts++
		}
		got, gotErr := cut.samples(parseAlone)
		want, wantErr := (&cutBody{text: []byte(text), h: &handler{}}).samples(parseAlone)
		if !reflect.DeepEqual(gotErr, wantErr) {
			t.Fatalf("%q: error %v, want %v", text, gotErr, wantErr)
		}
		for _, list := range [][]posted{got, want} {
			for i := range list {
				list[i].flat = nil
			}
		}
		if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q:\ngot  %+v\nwant %+v", text, got, want)
		}
	}
	return cuts
}

const cuttable = `[{"counter_name":"m","counter_type":"gauge","counter_unit":"%","counter_volume":1,"resource_id":"r",` +
	`"resource_metadata":{"a.b":"c","d":"\u00e9}","":"e"},"timestamp":"2026-01-02T12:00:00"}]`

func TestCut(t *testing.T) {
	with := func(from, to string) string { return strings.ReplaceAll(cuttable, from, to) }
	one := cuttable[1 : len(cuttable)-1]
	for _, tc := range []struct {
		name, it string
		cut      bool
	}{
		{"the same", cuttable, true},
		{"twice", "[" + one + " , " + one + "]", true},
		{"one that is new", "[" + one + "," + with(`"c"`, `"d"`)[1:], true},
		{"other metadata", with(`"c"`, `"d"`), false},
		{"no metadata", with(`{"a.b":"c","d":"\u00e9}","":"e"}`, "null"), false},
		{"metadata twice", with(`"timestamp"`, `"resource_metadata":{"x":"y"},"timestamp"`), false},
		{"metadata and null", with(`"timestamp"`, `"resource_metadata":null,"timestamp"`), true},
		{"metadata and a text", with(`"timestamp"`, `"resource_metadata":"x","timestamp"`), true},
		{"an object around it", `{"samples":` + cuttable + `}`, false},
		{"no list", one, false},
		{"something missing", with(`"counter_name":"m",`, ""), true},
		{"something unknown", with(`"counter_name"`, `"name"`), true},
		{"something unknown, nested", with(`"timestamp"`, `"x":{"resource_metadata":{}},"timestamp"`), false},
		{"a number for a text", with(`"r"`, "5"), true},
		{"a volume that is none", with(":1,", ":true,"), true},
		{"not finite", with(":1,", ":Infinity,"), false},
		{"escapes in a key", with(`"resource_metadata"`, `"resource\u005fmetadata"`), false},
		{"no UTF-8", with(`"r"`, "\"\xff\""), true},
		{"cut short", cuttable[:len(cuttable)-1], false},
		{"more behind", cuttable + "]", false},
		{"broken elsewhere", with(`:1,`, `:1.1.1,`), true},
		{"something else in the list", "[" + one + ",null]", false},
		{"", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := checkCut(t, cuttable, tc.it) > 0; got != tc.cut {
				t.Errorf("cut: %v, want %v", got, tc.cut)
			}
			checkCut(t, tc.it, tc.it, cuttable, tc.it)
		})
	}
}

// TestCutMutated reads bodies of which bytes are changed, cut and doubled, after the sound one.
func TestCutMutated(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	one := cuttable[1 : len(cuttable)-1]
	sound := "[" + one + "," + strings.Replace(one, "a.b", "a", 1) + "]"
	const odd = "{}[]\",:\\ \x00\xff09.-+eEnN"
	for range 2000 {
		b := []byte(sound)
		for range 1 + r.IntN(3) {
			at := r.IntN(len(b))
			switch r.IntN(3) {
			case 0:
				b[at] = odd[r.IntN(len(odd))]
			case 1:
				b = append(b[:at], b[min(len(b)-1, at+1+r.IntN(20)):]...)
			case 2:
				b = fmt.Appendf(nil, "%s%s%s", b[:at], b[at:min(len(b), at+r.IntN(100))], b[at:])
			}
		}
		checkCut(t, sound, string(b), string(b))
	}
}

func FuzzCut(f *testing.F) {
	f.Add(cuttable, strings.ReplaceAll(cuttable, "12:", "13:"))
	f.Fuzz(func(t *testing.T, before, text string) { checkCut(t, before, text, text) })
}
