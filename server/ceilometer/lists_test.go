package ceilometer

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/server/samples"
)

// TestFirstOfMany holds lists with a limit to be the beginning of the list of all, with many samples at the same times, and resources to be in
// their order.
func TestFirstOfMany(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r, h := rand.New(rand.NewPCG(seed, 0)), newHarness(t)
	begin := at("2024-01-01T00:00:00")
	var in []samples.Sample
	for range 3000 {
		user, project := fmt.Sprint("u", r.IntN(2)), fmt.Sprint("p", r.IntN(2))
		id := r.IntN(1300)
		if id < 1000 { // one owner has most of them, more than a page
			user, project = "u1", "p0"
		}
		in = append(in, samples.Sample{Meter: fmt.Sprint("m", r.IntN(3)), ResourceID: fmt.Sprint("r", id), UserID: &user, ProjectID: &project,
			Time: begin + int64(r.IntN(100))*1e9, Metadata: fmt.Appendf(nil, `{"n": "a%d"}`, r.IntN(3))})
	}
	h.write(in...)
	check := func(path string) []any {
		t.Helper()
		all := h.get(path+"limit=1000000", nil).([]any)
		if len(all) == 0 {
			t.Fatalf("%s: nothing", path)
		}
		for _, n := range []int{1, 2, 99, 100, 1 + r.IntN(len(all)), len(all) + 1} {
			if got := h.get(fmt.Sprint(path, "limit=", n), nil).([]any); !reflect.DeepEqual(got, all[:min(n, len(all))]) {
				t.Errorf("%slimit=%d: %d of %d, others than the first", path, n, len(got), len(all))
			}
		}
		return all
	}
	check("/v2/resources?q.field=metadata.n&q.value=a1&")
	check("/v2/resources?q.field=project_id&q.value=p1&")
	check("/v2/samples?")
	check("/v2/meters/m1?")
	check("/v2/meters/m1?q.field=timestamp&q.op=lt&q.value=2024-01-01T00:00:50&")
	check("/v2/samples?q.field=timestamp&q.op=gt&q.value=2024-01-01T00:01:35&")
	keys := func(x any) []string {
		m := x.(map[string]any)
		return []string{m["user_id"].(string), m["project_id"].(string), m["last_sample_timestamp"].(string)}
	}
	list := check("/v2/resources?")
	if !slices.IsSortedFunc(list, func(a, b any) int { return slices.Compare(keys(b), keys(a)) }) {
		t.Error("resources are not in order")
	}
}
