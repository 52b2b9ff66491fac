package growth

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/telemetrydb/tsdb/bench/results"
	"github.com/telemetrydb/tsdb/bench/served"
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

// stopwatch takes the CPU time of this process.
type stopwatch struct{ cpu float64 }

func startWatch() stopwatch          { return stopwatch{cpuSeconds()} }
func (w stopwatch) used() float64    { return cpuSeconds() - w.cpu }
func micros(begin time.Time) float64 { return float64(time.Since(begin).Nanoseconds()) / 1e3 }
func treeBytes(dir string) float64   { return float64(served.Weigh(dir).Files) }

func cpuSeconds() float64 {
	u := usage()
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// peakMiB is the most resident memory that this process has had.
func peakMiB() float64 { return float64(usage().Maxrss) / 1024 }

func usage() (u syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // cannot be for this process and this structure
	}
	return u
}
