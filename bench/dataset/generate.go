package dataset

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"github.com/telemetrydb/tsdb/bench/workload"
)

// startMillis is 2026-01-05T00:00:00Z, a whole number of two-hour windows after the epoch.
const startMillis int64 = 1_767_571_200_000

const generatorSeed = 20260105

// plan is the definition of a generated set.
type plan struct {
	name             string
	series, ticks    int
	stepMillis       int64
	jitterMillis     int // odd series come up to so much early or late
	metricsAResource int // metrics of one resource
}

var plans = map[string]plan{
	"D1": {name: "D1", series: 70, ticks: 19_800, stepMillis: 1_000, metricsAResource: 7},
	"D2": {name: "D2", series: 10_000, ticks: 7 * 288, stepMillis: 300_000, jitterMillis: 2_000, metricsAResource: 10},
}

// maker makes a whole set in dir, or its first ticks if ticks is not 0. The set is called name.
type maker func(dir, name string, ticks int) error

// makerOf is nil for a set that is not generated.
func makerOf(base string) maker {
	switch base {
	case "D1", "D2":
		return func(dir, name string, ticks int) error {
			p := plans[base]
			p.name = name
			if ticks > 0 {
				p.ticks = min(ticks, p.ticks)
			}
			return p.write(dir)
		}
	case "A":
		return func(dir, name string, ticks int) error { return writeWorkload(dir, name, workload.A(0), ticks) }
	case "B":
		return func(dir, name string, ticks int) error {
			return writeWorkload(dir, name, workload.B(cloudInstances, 0), ticks)
		}
	case "devops":
		return writeDevops
	}
	return nil
}

// Generated are the names of the sets that can be generated, with what each is.
func Generated() [][2]string {
	return [][2]string{
		{"D1", "70 series at 1 s for 5.5 hours: 1,386,000 samples"},
		{"D2", "10,000 series at 300 s for 7 days, half of them jittered: 20,160,000 samples"},
		{"A", "the seed workload, 70 metrics of 4 resources at 1 s for 5.5 hours: 1,386,000 samples"},
		{"B", "a small cloud, 1,000 instances of 10 metrics at 300 s for a day: 2,880,000 samples"},
		{"devops", "100 hosts of 20 metrics (cpu, mem, disk, net) at 10 s for 2 hours: 1,440,000 samples"},
	}
}

// IsGenerated tells whether the set of that name, without ticks, can be generated.
func IsGenerated(base string) bool { return makerOf(base) != nil }

// ParseName splits NAME:TICKS, which is the first ticks steps of the set NAME; 0 is all of it.
func ParseName(name string) (base string, ticks int, err error) {
	base, text, cut := strings.Cut(name, ":")
	if cut {
		if ticks, err = strconv.Atoi(text); err != nil || ticks < 1 {
			return "", 0, fmt.Errorf("set %q: want NAME or NAME:TICKS", name)
		}
	}
	if base == "" || strings.ContainsAny(base, "/\\ \t\n") || strings.HasPrefix(base, ".") {
		return "", 0, fmt.Errorf("set %q: want NAME or NAME:TICKS", name)
	}
	return base, ticks, nil
}

// DirName is the name of a directory for the set.
func DirName(name string) string { return strings.ReplaceAll(name, ":", "-") }

// Prepared opens the set name in dir. If there is none yet and it is one that can be generated, it is made first; otherwise the error
// is os.ErrNotExist.
func Prepared(dir, name string) (*Set, error) {
	s, err := Open(dir)
	if err == nil && s.Name != name {
		return nil, fmt.Errorf("%s holds the set %s, not %s", dir, s.Name, name)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	base, ticks, nameErr := ParseName(name)
	if nameErr != nil {
		return nil, nameErr
	}
	generate := makerOf(base)
	if generate == nil {
		return nil, err
	}
	if err := generate(dir, name, ticks); err != nil {
		return nil, err
	}
	return Open(dir)
}

// Generate makes a set in dir. ticks shortens it; 0 means all of it.
func Generate(dir, name string, ticks int) error {
	generate := makerOf(name)
	if generate == nil {
		return fmt.Errorf("no generated set %q: want D1, D2, A, B or devops", name)
	}
	return generate(dir, name, ticks)
}

// Cut makes in dir, under a name of its own, a set of the first ticks steps of s.
func Cut(s *Set, dir, name string, ticks int) error {
	r, err := s.Read(All)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := Create(dir, name, s.StepMillis, s.Series)
	if err != nil {
		return err
	}
	end := s.MinMillis + int64(ticks)*max(1, s.StepMillis)
	rows := make([]Sample, 4096)
	for {
		n, err := r.Next(rows)
		if err != nil {
			return errors.Join(err, w.abandon())
		}
		for _, row := range rows[:n] {
			if row.Millis >= end {
				n = 0
				break
			}
			w.Add(row)
		}
		if n == 0 {
			return w.Close()
		}
	}
}

func (p plan) write(dir string) error {
	random := make([]*rand.Rand, p.series)
	next := make([]func() float64, p.series)
	series := make([]Series, p.series)
	for i := range series {
		random[i] = rand.New(rand.NewPCG(generatorSeed, uint64(i)))
		next[i] = shapeOf(i).begin(random[i], float64(p.stepMillis)/1000)
		series[i] = p.describe(i)
	}
	w, err := Create(dir, p.name, p.stepMillis, series)
	if err != nil {
		return err
	}
	for tick := range p.ticks {
		for i := range series {
			s := Sample{Series: uint32(i), Millis: startMillis + int64(tick)*p.stepMillis}
			if p.jitterMillis > 0 && i%2 == 1 {
				s.Millis += int64(random[i].IntN(2*p.jitterMillis+1) - p.jitterMillis)
			}
			s.Value = next[i]()
			w.Add(s)
		}
	}
	return w.Close()
}

// describe gives series i a resource of metricsAResource neighbours, one of ten projects and one of forty hosts. Group a holds
// every series of a small set and one tenth of a large one.
func (p plan) describe(i int) Series {
	resource, group, shape := i/p.metricsAResource, "b", shapeOf(i)
	if i%10 == 3 || p.series <= 1000 {
		group = "a"
	}
	return Series{
		ID:       uint32(i),
		Metric:   fmt.Sprintf("%s.%d", shape.metric, i%p.metricsAResource),
		Resource: fmt.Sprintf("%08x-6f1d-4b7e-9c3a-%012x", uint32(resource)*2654435761, resource*7919),
		Project:  fmt.Sprintf("project-%d", resource%10),
		Host:     fmt.Sprintf("compute-%03d", resource%40),
		Group:    group,
		Class:    shape.class,
	}
}
