package load

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestCountSamples(t *testing.T) {
	for _, tc := range []struct {
		body string
		want int64 // -1: an error
	}{
		{`[]`, 0},
		{`[["2026-01-01T00:00:00+00:00", 60.0, 60.0], ["2026-01-01T00:01:00+00:00", 60.0, 15.0]]`, 75},
		{`[["2026-01-01T00:00:00+00:00", 60.0, 59.0], ["2026-01-01T00:01:00+00:00", 60.0, 15.0]]`, -1},
		{`[["2026-01-01T00:01:00+00:00", 60.0, 15.0]]`, -1},
		{`[["2026-01-01T00:00:00+00:00", 60.0, 61.0]]`, -1},
		{`[["2026-01-01T00:00:00+00:00", 60.0, 60.0], ["2026-01-01T00:00:00+00:00", 60.0, 15.0]]`, -1},
		{`{}`, -1},
	} {
		list, err := parseList([]byte(tc.body))
		var n int64
		if err == nil {
			n, err = countSamples(list)
		}
		if err != nil {
			n = -1
		}
		if n != tc.want {
			t.Errorf("%s: %d, %v; want %d", tc.body, n, err, tc.want)
		}
	}
}

func TestSameInAll(t *testing.T) {
	series := func(from, to int) string {
		var all []string
		for i := from; i < to; i++ {
			all = append(all, fmt.Sprintf(`["2026-01-01T00:00:%02d+00:00", 1.0, %d.0]`, i, i))
		}
		return `{"mean": [` + strings.Join(all, ", ") + `]}`
	}
	answer := func(x, y string) []byte { return []byte(`{"measures": {"x": ` + x + `, "y": ` + y + `}}`) }
	metrics := []string{"x", "y"}
	if last, err := sameInAll(answer(series(3, 10), series(3, 10)), metrics); err != nil || last != 9 {
		t.Errorf("%d, %v", last, err)
	}
	if last, err := sameInAll(answer(series(0, 0), series(0, 0)), metrics); err != nil || last != -1 {
		t.Errorf("nothing: %d, %v", last, err)
	}
	for what, body := range map[string][]byte{
		"half a batch":  answer(series(0, 10), series(0, 5)),
		"another value": answer(series(0, 10), strings.Replace(series(0, 10), "7.0", "8.0", 1)),
		"a gap":         answer(series(0, 10), strings.Replace(series(0, 10), `["2026-01-01T00:00:07+00:00", 1.0, 7.0], `, "", 1)),
		"one missing":   []byte(`{"measures": {"x": ` + series(0, 5) + `}}`),
	} {
		if _, err := sameInAll(body, metrics); err == nil {
			t.Errorf("%s was not noticed", what)
		}
	}
}

func TestCheckSearch(t *testing.T) {
	const metrics = `"metrics": {"a": "1", "b": "2", "c": "3", "d": "4"}`
	resource := func(id, first, second string) string {
		return `{"id": "` + id + `", "first": "` + first + `", "second": "` + second + `", ` + metrics + `}`
	}
	states := map[string]int64{"x": 3, "y": 0}
	if err := checkSearch([]byte("["+resource("x", "4", "4")+","+resource("y", "0", "0")+"]"), states); err != nil {
		t.Error(err)
	}
	for what, second := range map[string]string{
		"two states": resource("x", "4", "5"), "an old state": resource("x", "2", "2"), "a stranger": resource("z", "4", "4"),
		"no metrics": strings.Replace(resource("x", "4", "4"), `"d": "4"`, `"e": "4", "f": "5"`, 1), "no state": resource("x", "", ""),
	} {
		if checkSearch([]byte("["+resource("y", "0", "0")+","+second+"]"), states) == nil {
			t.Errorf("%s was not noticed", what)
		}
	}
	if checkSearch([]byte("["+resource("y", "0", "0")+"]"), states) == nil {
		t.Error("one that is missing was not noticed")
	}
}

func TestEveryWriterHasThings(t *testing.T) {
	owners := map[*thing]int{}
	w := &world{}
	for range 30 {
		w.things = append(w.things, new(thing))
	}
	for n := range 64 {
		if n%8 >= 3 {
			continue
		}
		c := &client{w: w, tally: newTally(64), n: n, random: rand.New(rand.NewPCG(1, uint64(n)))}
		for range 50 {
			thing := c.own()
			if owner, taken := owners[thing]; taken && owner != n {
				t.Fatalf("clients %d and %d write to one thing", owner, n)
			}
			owners[thing] = n
		}
	}
	if len(owners) != len(w.things) {
		t.Errorf("%d of %d things are written to", len(owners), len(w.things))
	}
}
