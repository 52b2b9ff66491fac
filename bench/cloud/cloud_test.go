package cloud

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/bench/workload"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/gnocchi"
)

// TestWhole gives a little of the work to a server in this process: what it answers is compared with the generator on the way.
func TestWhole(t *testing.T) {
	db, err := engine.Open("cloud", &engine.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	server := httptest.NewServer(gnocchi.New(db, nil))
	defer server.Close()
	const instances, ticks, live = 120, 30, 2
	w := workload.B(instances, 0)
	all := columnsOf(w, ticks)
	s := newSite(server.URL, false)
	defer s.c.Close()
	r := Report{o: Options{Ticks: ticks}}
	if r.ours.loaded, err = load(s, w, all, ticks, live); err != nil {
		t.Fatal(err)
	}
	if want := instances * 10 * ticks; r.ours.measures != want || len(r.ours.live) != live {
		t.Errorf("%d measures, %d live cycles; want %d and %d", r.ours.measures, len(r.ours.live), want, live)
	}
	if err := r.ours.askAll(s, nil, w, all, ticks); err != nil {
		t.Fatal(err)
	}
	if n, err := checkAll(s, w, all, r.ours.ids); err != nil || n != instances*10*ticks {
		t.Errorf("%d values, %v", n, err)
	}
	r.theirs = &r.ours
	create := r.Goals()[0]
	if len(r.Goals()) < 15 || create.Recorded || *create.PeerIs != create.Value || *create.Limit != create.Value/25 {
		t.Errorf("beside a Gnocchi of the same run: %+v", create)
	}
	r.theirs = nil
	if create = r.Goals()[0]; create.PeerIs != nil || create.Limit != nil {
		t.Errorf("%d instances beside the recorded Gnocchi's thousand: %+v", instances, create)
	}
	// What is wrong is noticed.
	q := questions(w)[0]
	path, body, err := q.request(w, 0, ticks)
	if err != nil {
		t.Fatal(err)
	}
	answer, _, err := s.c.Do("POST", path, body, 200)
	if err != nil {
		t.Fatal(err)
	}
	text := string(answer)
	for what, wrong := range map[string]string{
		"an attribute": strings.Replace(text, "compute-03", "compute-04", 1),
		"one missing":  "[" + text[strings.Index(text, "}, {\"creator")+3:],
		"no JSON":      text[1:],
	} {
		if checkResources([]byte(wrong), w, q.places(w)) == nil {
			t.Errorf("%s was not noticed", what)
		}
	}
	all[3][1][7]++
	if _, err := checkAll(s, w, all, r.ours.ids); err == nil {
		t.Error("a wrong value was not noticed")
	}
}

func TestRack(t *testing.T) {
	for _, n := range []int{1000, 10_000, 100_000} {
		counts := map[string]int{}
		for i := range n {
			counts[rack(i, n)]++
		}
		for _, size := range resultSizes {
			if n > 1000 && counts[fmt.Sprint("of-", size)] != size {
				t.Errorf("%d of %d resources, want %d", counts[fmt.Sprint("of-", size)], n, size)
			}
		}
	}
}
