package dataset

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
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

// Prepared opens the set name in dir. If there is none yet and it is one that can be generated, it is made first; otherwise the error
// is os.ErrNotExist.
func Prepared(dir, name string) (*Set, error) {
	s, err := Open(dir)
	if _, ok := plans[name]; !ok || !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	if err := Generate(dir, name, 0); err != nil {
		return nil, err
	}
	return Open(dir)
}

// Generate makes D1 or D2 in dir. ticks shortens the set; 0 means all of it.
func Generate(dir, name string, ticks int) error {
	p, ok := plans[name]
	if !ok {
		return fmt.Errorf("no generated set %q: want D1 or D2", name)
	}
	if ticks > 0 {
		p.ticks = ticks
	}
	return p.write(dir)
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
