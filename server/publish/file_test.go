package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/valyala/fastjson"
)

// TestReadFile reads what Ceilometer's file publisher wrote of the same things in both of its formats.
func TestReadFile(t *testing.T) {
	h := newHouse(t, nil)
	f, err := os.Open("testdata/file.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	bad := "\n[1, 2\n{'name': 'm'}\n" + strings.Repeat("x", 9<<20) + "\n" + cpuMessage // without a line's end
	var done int64
	got, err := h.ReadFile(context.Background(), &joined{[]byte(bad), f}, func(n int64) { done = n })
	if err != nil || got.Lines != 13 || got.Stored != 9 || done == 0 || got.FirstAt != 10 ||
		fmt.Sprint(got.Refused) != "map[format:1 too large:1 type:1]" {
		t.Errorf("%+v, %v, %d bytes", got, err, done)
	}
	list := h.read("r", "cpu")
	meta := `{"a":{"b":{"c":null,"d":true}},"l":["x",1,2.0,null,false],"n":"é☃\n\u0001😀` + "\u200b" + `","q":"it's \"so\"","t":[1],"vcpus":2}`
	if len(list) != 2 || list[0] != list[1] || list[0].context != "u - openstack ns cumulative "+meta || list[0].v != 12345678901 {
		t.Errorf("%+v\nwant %s", list, meta)
	}
	if list = h.read("r/2", "m"); len(list) != 2 || list[0] != list[1] || list[0].v != 1e-7 {
		t.Errorf("%+v", list)
	}
	if len(h.events) != 4 || !reflect.DeepEqual(h.events[:2], h.events[2:]) || h.events[0].Traits[1].Kind != engine.TraitTime {
		t.Errorf("%+v", h.events)
	}
}

// joined is the file, then the bytes.
type joined struct {
	after []byte
	file  *os.File
}

func (j *joined) Read(p []byte) (int, error) {
	if n, err := j.file.Read(p); n > 0 || len(j.after) == 0 {
		return n, err
	}
	n := copy(p, j.after)
	j.after = j.after[n:]
	return n, nil
}

func TestReadFileStops(t *testing.T) {
	h := newHouse(t, func(o *Options) {
		o.Events = func(context.Context, []engine.Event) (int, error) { return 0, engine.ErrFull }
	})
	got, err := h.ReadFile(context.Background(), strings.NewReader(cpuObject+"\n"+anEvent), nil)
	if !errors.Is(err, engine.ErrFull) || got.Refused["disk full"] != 0 && got.Refused["disk full"] != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.ReadFile(ctx, strings.NewReader(cpuObject), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestReprRefused(t *testing.T) {
	for _, in := range []string{"", "{", "{'a'", "{'a':", "{'a': 1", "{'a': 1 'b': 2}", "{'a': 'b}", "{[1]: 2}", `'\q'`, `'\x4`, `'\xzz'`, `'\U00110000'`, "(1", "[1,,2]",
		"[,]", "object()", "<Sample>", "1-2", "datetime.datetime(1", "datetime.datetime(a)", "datetime.datetime(1,2,3,4,5,6,7,8)",
		"datetime.datetime(2020, 1, 1, tzinfo=<UTC>)", strings.Repeat("[", 100), strings.Repeat("{'a':", 100)} {
		if out, rest, bad := appendRepr(nil, in, maxDepth); bad == nil {
			t.Errorf("%q: %s, %q", in, out, rest)
		}
	}
}

func FuzzRepr(f *testing.F) {
	file, err := os.ReadFile("testdata/file.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(file) {
		f.Add(string(line))
	}
	f.Add(`{1: nan, None: -inf, b'\xff': ()}`)
	f.Fuzz(func(t *testing.T, in string) {
		json, rest, bad := appendRepr(nil, in, maxDepth)
		if bad != nil {
			return
		}
		if len(rest) >= len(in) {
			t.Fatalf("%q is left of %q", rest, in)
		}
		v, err := fastjson.ParseBytes(json)
		if err != nil {
			t.Fatalf("%s: %v", json, err)
		}
		checkElement(t, v, 6*len(in)+30)
	})
}
