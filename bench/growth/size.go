package growth

import "fmt"

// Size is one amount of work.
type Size struct {
	Dimension     string
	Of            float64 // the dimension's number
	Metrics       int
	Samples       int // of each metric
	StepSeconds   int
	Resources     int // that the metrics are shared out to
	Granularities int
	MemoryMiB     int // that the engine may take
	Clients       int // 0: the engine linked in
}

// The dimensions.
const (
	SamplesAMetric = "samples a metric"
	Metrics        = "metrics"
	Resources      = "resources"
	Granularities  = "granularities"
	Clients        = "clients"
)

// Sizes lists what is measured, dimension by dimension, each from its least size up. part divides the amounts of work, for tests; 1 is all.
func Sizes(part int) []Size {
	base := Size{Metrics: 1000 / part, Samples: 1000 / part, StepSeconds: 60, Resources: 100 / part, Granularities: 1, MemoryMiB: 256}
	var all []Size
	add := func(dimension string, of int, change func(s *Size)) {
		s := base
		s.Dimension, s.Of = dimension, float64(of)
		change(&s)
		all = append(all, s)
	}
	for _, x := range []int{1, 10, 100} {
		n := base.Samples / 10 * x
		add(SamplesAMetric, n, func(s *Size) { s.Samples, s.StepSeconds = n, 10 })
	}
	for _, x := range []int{1, 10, 100} {
		n := base.Metrics * x
		add(Metrics, n, func(s *Size) { s.Metrics, s.Samples, s.Resources, s.StepSeconds = n, max(12, 30/part), n/10, 300 })
	}
	for _, x := range []int{1, 10, 100} {
		n := base.Resources * 10 * x
		add(Resources, n, func(s *Size) { s.Metrics, s.Samples, s.Resources, s.StepSeconds = n, 12, n, 300 })
	}
	for _, n := range []int{1, 5} {
		add(Granularities, n, func(s *Size) { s.Granularities = n })
	}
	for _, n := range []int{1, 2, 4, 8, 16, 32, 64} {
		add(Clients, n, func(s *Size) { s.Clients = n })
	}
	return all
}

// Name tells a size in a few words.
func (s Size) Name() string { return fmt.Sprintf("%s: %.0f", s.Dimension, s.Of) }

// firstSecond is 2026-01-01T00:00:00Z.
const firstSecond = 1_767_225_600

// value is sample k of metric i: a gauge with two decimals that wanders.
func value(i, k int) float64 {
	x := uint64(i)*0x9E3779B97F4A7C15 + uint64(k/8)*0xBF58476D1CE4E5B9
	x ^= x >> 29
	x *= 0x94D049BB133111EB
	return float64(2000+x>>54+uint64(k%8)) / 100
}
