package publish

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

func TestReadCSV(t *testing.T) {
	const good = `2026-01-02T03:04:05.000000006Z,2026-01-02T03:04:06Z,vm/1,cpu,cumulative,ns,12.5,u,\N,openstack,m-1,"{""vcpus"":2}"`
	replaced := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	for _, c := range []struct {
		rows    string
		stored  int64
		refused string
		fails   bool
	}{
		{good, 1, "map[]", false},
		{good + "\n" + replaced("12.5", "much") + "\n" + good, 2, "map[volume:1]", false},
		{replaced("12.5", "NaN"), 0, "map[volume:1]", false},
		{replaced("2026-01-02T03:04:05", "0001-01-01T00:00:00"), 0, "map[time:1]", false},
		{replaced("2026-01-02T03:04:06Z", "later"), 0, "map[time:1]", false},
		{replaced("cumulative", "counter"), 0, "map[type:1]", false},
		{replaced(`"{""vcpus"":2}"`, "{"), 0, "map[metadata:1]", false},
		{good + "\nonly,three,fields\n" + good, 1, "map[]", true},
		{good + "\n\"torn", 1, "map[]", true},
	} {
		h := newHouse(t, nil)
		got, err := h.ReadCSV(context.Background(), strings.NewReader(CSVHeader+"\n"+c.rows), nil)
		if got.Stored != c.stored || fmt.Sprint(got.Refused) != c.refused || (err != nil) != c.fails {
			t.Errorf("%q: %+v, %v", c.rows, got, err)
		}
		if list := h.read("vm/1", "cpu"); len(list) != int(c.stored) {
			t.Errorf("%q: %d samples", c.rows, len(list))
		} else if len(list) > 0 && (list[0].context != `u - openstack ns cumulative {"vcpus":2}` || list[0].v != 12.5) {
			t.Errorf("%q: %+v", c.rows, list[0])
		}
	}
	h := newHouse(t, nil)
	if _, err := h.ReadCSV(context.Background(), strings.NewReader("a,b\n1,2\n"), nil); err == nil {
		t.Error("another header is taken")
	}
}
