package gnocchi

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestConcurrent has many clients create, write, read and delete at once; each finds what it wrote, whole.
func TestConcurrent(t *testing.T) {
	h := newHarness(t)
	h.fill(t)
	var wg sync.WaitGroup
	for client := range 8 {
		wg.Go(func() {
			for round := range 6 {
				id := fmt.Sprintf("client-%d-%d", client, round)
				expect(t, h, 201, "POST", "/v1/resource/generic", `{"id": "`+id+`", "metrics": {"own": {}}}`)
				var b strings.Builder
				for i := range 50 {
					fmt.Fprintf(&b, `, {"timestamp": %d, "value": %d.25}`, 60*i, client)
				}
				list := "[" + b.String()[2:] + "]"
				expect(t, h, 202, "POST", "/v1/batch/resources/metrics/measures?create_metrics=true",
					`{"`+id+`": {"own": `+list+`, "made": {"measures": `+list+`}}, "`+fuzzResource+`": {"cpu": [], "shared": `+list+`}}`)
				for _, name := range []string{"own", "made"} {
					answer := expect(t, h, 200, "GET", "/v1/resource/generic/"+id+"/metric/"+name+"/measures", "")
					if n := strings.Count(answer, fmt.Sprintf("60.0, %d.25]", client)); n != 50 {
						t.Errorf("%s of %s: %d points, want 50", name, id, n)
					}
				}
				expect(t, h, 200, "GET", "/v1/resource/generic?sort=id:desc", "")
				expect(t, h, 204, "DELETE", "/v1/resource/generic/"+id, "")
			}
		})
	}
	wg.Wait()
	if got := h.db.CountResources(); got != 2 {
		t.Errorf("%d resources are left, want the 2 of fill", got)
	}
}

func expect(t *testing.T, h *harness, want int, method, path, body string) string {
	status, answer := h.do(method, path, body)
	if status != want {
		t.Errorf("%s %s: %d %s, want %d", method, path, status, answer, want)
	}
	return answer
}
