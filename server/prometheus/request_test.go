package prometheus

import (
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
)

// Messages for tests, put together by hand.

func message(number uint64, b []byte) []byte {
	out := binary.AppendUvarint(nil, number<<3|kindBytes)
	return append(binary.AppendUvarint(out, uint64(len(b))), b...)
}

func label(name, value string) []byte {
	return message(1, append(message(1, []byte(name)), message(2, []byte(value))...))
}

func sample(millis int64, v float64) []byte {
	b := binary.LittleEndian.AppendUint64([]byte{1<<3 | kindFixed8}, math.Float64bits(v))
	return message(2, binary.AppendUvarint(append(b, 2<<3|kindVarint), uint64(millis)))
}

func series(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return message(1, all)
}

func request(series ...[]byte) []byte {
	var all []byte
	for _, s := range series {
		all = append(all, s...)
	}
	return snappy.Encode(nil, all)
}

func decoded(t *testing.T, body []byte) *Request {
	t.Helper()
	var r Request
	if err := r.Decode(body, 1<<20); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestDecode(t *testing.T) {
	up := label("__name__", "up")
	r := decoded(t, request(
		series(label("job", "node"), label("instance", "h:9100"), up, label("other", "x"), sample(1500, 1), sample(1600, 2.5)),
		series(up, sample(7, math.Inf(1)), message(3, []byte("an exemplar")), message(4, nil)),
		series(up, label("job", ""), label("instance", ""), sample(8, -1)),
		series(label("__name__", "no samples")),
		message(3, []byte("metadata")),
	))
	node, none := Resource{"node", "h:9100"}, Resource{"none", "none"}
	want := []Series{
		{node, "up", []Sample{{1_500_000_000, 1}, {1_600_000_000, 2.5}}},
		{none, "up", []Sample{{8_000_000, -1}}},
	}
	if !reflect.DeepEqual(r.Series, want) || r.Fault != "" {
		t.Errorf("got  %+v %q\nwant %+v", r.Series, r.Fault, want)
	}
	if want := map[string]int{ReasonShadowed: 1, ReasonHistogram: 1}; !maps.Equal(r.Refused, want) {
		t.Errorf("refused %v, want %v", r.Refused, want)
	}
	if id := r.Series[0].Resource.ID(); id != "node@h:9100" {
		t.Errorf("id %q", id)
	}
}

func TestDecodeLeavesOut(t *testing.T) {
	up := label("__name__", "up")
	for reason, s := range map[string][]byte{
		ReasonName:     series(label("job", "a"), sample(1, 1)),
		ReasonLongName: series(label("__name__", strings.Repeat("é", 256)), sample(1, 1)),
		ReasonResource: series(up, label("job", "a/b"), sample(1, 1)),
		ReasonTime:     series(up, label("job", "a"), sample(-1, 1)),
		ReasonEncoding: series(up, label("job", "\xff"), sample(1, 1)),
	} {
		r := decoded(t, request(s, series(up, sample(5, 5))))
		if r.Refused[reason] != 1 || r.Fault == "" || len(r.Series) != 1 || r.Series[0].Samples[0].Value != 5 {
			t.Errorf("%s: %+v", reason, r)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	huge := append(binary.AppendUvarint(nil, 1<<31), "not much"...)
	for _, tc := range []struct {
		name string
		body []byte
		want error
	}{
		{"nothing", nil, ErrFormat},
		{"text", []byte("up 1"), ErrFormat},
		{"a length that is made up", append(binary.AppendUvarint(nil, 1<<19), 0), ErrFormat},
		{"a bomb", huge, ErrLarge},
		{"cut short", request([]byte{1<<3 | kindBytes, 9, 1}), ErrFormat},
		{"a group", request([]byte{1<<3 | 3}), ErrFormat},
		{"a number in place of a series", request([]byte{1<<3 | kindVarint, 1}), ErrFormat},
		{"a number in place of a label", request(series([]byte{1<<3 | kindVarint, 1})), ErrFormat},
		{"text in place of a value", request(series(message(2, message(1, []byte("x"))))), ErrFormat},
		{"samples without end", request(series([]byte(strings.Repeat("\x12\x00", 100_000))), series([]byte(strings.Repeat("\x12\x00", 200_000)))), ErrLarge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var r Request
			if err := r.Decode(tc.body, 8<<20); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

// second is a request of version 2 with a series of the symbols that refs number.
func second(refs []byte, rest ...[]byte) []byte {
	var all []byte
	for _, s := range []string{"", "__name__", "up", "job", "node", "instance", "h:9100", "\xff"} {
		all = append(all, message(4, []byte(s))...)
	}
	one := message(1, refs)
	for _, r := range rest {
		one = append(one, r...)
	}
	return append(all, message(5, one)...)
}

func TestDecodeV2(t *testing.T) {
	var r Request
	all := second([]byte{1, 2, 3, 4, 5, 6}, sample(1500, 1), sample(1600, 2.5), message(3, []byte("a histogram")), message(4, []byte("an exemplar")), message(5, []byte("metadata")))
	all = append(all, message(5, append([]byte{1 << 3, 1, 1 << 3, 2}, sample(7, 1)...))...) // not packed, no job
	if err := r.DecodeV2(request(all), 1<<20); err != nil {
		t.Fatal(err)
	}
	want := []Series{
		{Resource{"node", "h:9100"}, "up", []Sample{{1_500_000_000, 1}, {1_600_000_000, 2.5}}},
		{Resource{"none", "none"}, "up", []Sample{{7_000_000, 1}}},
	}
	if !reflect.DeepEqual(r.Series, want) || !maps.Equal(r.Refused, map[string]int{ReasonHistogram: 1}) {
		t.Errorf("got  %+v %v\nwant %+v", r.Series, r.Refused, want)
	}
	if err := r.DecodeV2(request(second([]byte{1, 7}, sample(1, 1))), 1<<20); err != nil || r.Refused[ReasonEncoding] != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	for name, body := range map[string][]byte{
		"text":                     []byte("up 1"),
		"a symbol beyond the last": request(second([]byte{1, 8})),
		"a label without a value":  request(second([]byte{1, 2, 3})),
		"labels cut short":         request(second([]byte{1, 0x80})),
		"labels that are a number": request(second(nil, []byte{1<<3 | kindFixed8, 1, 2, 3, 4, 5, 6, 7, 8})),
		"samples that are none":    request(second(nil, []byte{2<<3 | kindVarint, 1})),
		"a first symbol with text": request(message(4, []byte("x"))),
		"symbols that are numbers": request([]byte{4<<3 | kindVarint, 1}),
	} {
		if err := r.DecodeV2(body, 1<<20); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.DecodeV2(request([]byte(strings.Repeat("\x22\x00", 600_000))), 8<<20); !errors.Is(err, ErrLarge) {
		t.Errorf("too many symbols: %v", err)
	}
	if err := r.DecodeV2(request(second([]byte{1, 2}, []byte(strings.Repeat("\x12\x00", 300_000)))), 8<<20); !errors.Is(err, ErrLarge) {
		t.Error("samples without end:", err)
	}
}

// FuzzDecodeV2 does what FuzzDecode does with version 2.
func FuzzDecodeV2(f *testing.F) {
	f.Add(second([]byte{1, 2, 3, 4, 5, 6}, sample(1500, 1), message(3, nil)))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := Request{Refused: map[string]int{}}
		if r.decodeV2(in) == nil {
			checkRequest(t, &r, len(in))
		}
	})
}

// FuzzDecode looks for a message that breaks the decoder or makes more of it than there is.
func FuzzDecode(f *testing.F) {
	f.Add(series(label("job", "node"), label("__name__", "up"), sample(1500, 1), sample(1600, 2.5), message(4, nil)))
	f.Add(series(label("__name__", "up"), sample(-1, math.NaN())))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := Request{Refused: map[string]int{}}
		if r.decode(in) != nil {
			return
		}
		checkRequest(t, &r, len(in))
	})
}

// checkRequest sees to it that no more was made than there was.
func checkRequest(t *testing.T, r *Request, most int) {
	n := 0
	for _, s := range r.Series {
		if n += len(s.Samples); len(s.Samples) == 0 || s.Metric == "" {
			t.Errorf("%+v", s)
		}
	}
	for _, k := range r.Refused {
		n += k
	}
	if n > most {
		t.Errorf("%d samples of %d bytes", n, most)
	}
}

// FuzzCompressed does the same with what comes before: the compression.
func FuzzCompressed(f *testing.F) {
	f.Add(request(series(label("__name__", "up"), sample(1, 1))))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		var r Request
		if err := r.Decode(in, 1<<16); err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrLarge) {
			t.Error(err)
		}
	})
}
