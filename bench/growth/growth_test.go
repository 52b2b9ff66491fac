package growth

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/bench/results"
)

// Every size of the linked-in dimensions, made small: what is measured is checked by the measurement itself.
func TestSmallSizes(t *testing.T) {
	for _, s := range Sizes(50) {
		if s.Clients > 0 {
			continue
		}
		dir := filepath.Join(t.TempDir(), "store")
		g, err := Measure(s, dir, "")
		if err != nil {
			t.Fatalf("%s: %v", s.Name(), err)
		}
		for name, cost := range g.Costs {
			if cost <= 0 {
				t.Errorf("%s: %s is %v", s.Name(), name, cost)
			}
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s left its store: %v", s.Name(), err)
		}
	}
}

func TestTableTellsGrowth(t *testing.T) {
	text := Table([]results.Growth{
		{Dimension: Metrics, Size: 10, Costs: map[string]float64{"a sample, CPU us": 2}},
		{Dimension: Metrics, Size: 1000, Costs: map[string]float64{"a sample, CPU us": 3}},
	}).RenderMarkdown()
	for _, want := range []string{"growth over x 100", "| a sample, CPU us | 2 | 3 | 1.50 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nlacks %s", text, want)
		}
	}
}
