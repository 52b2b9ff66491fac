package growth

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/telemetrydb/tsdb/bench/results"
)

// Measure does one size in this process and removes what it wrote below dir, which must not exist. server is the binary for clients.
func Measure(s Size, dir, server string) (g results.Growth, err error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return g, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return g, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	g = results.Growth{Dimension: s.Dimension, Size: s.Of}
	if s.Clients > 0 {
		g.Costs, err = measureClients(s, dir, server)
	} else {
		g.Costs, err = measureEngine(s, dir)
	}
	return g, err
}

func micros(begin time.Time) float64 { return float64(time.Since(begin).Nanoseconds()) / 1e3 }
