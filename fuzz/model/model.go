package model

import (
	"slices"
	"sort"
	"strings"
)

// Point is a sample or an aggregate: for the latter, Time is the start of its group.
type Point struct {
	Time  int64
	Value float64
}

// Granularity is one definition of a policy: groups of a width, of which the newest are kept.
type Granularity struct {
	Nanos  int64
	Points int64 // times Nanos is the timespan; 0: for ever
}

// Policy is an archive policy as far as it shapes answers.
type Policy struct {
	Granularities []Granularity
	Methods       []string // as clients write them
	BackWindow    int      // in widths of the coarsest granularity
}

// series names the aggregates of one method and granularity.
type series struct {
	method string
	nanos  int64
}

// Metric is what one metric has stored.
type Metric struct {
	policy  Policy
	raw     []Point            // ascending
	all     []Point            // what raw has ever had, if there are counters
	stored  map[series][]Point // ascending
	horizon map[series]int64   // newest time of a point that retention dropped
}

// New returns a metric without points.
func New(p Policy) *Metric {
	return &Metric{policy: p, stored: map[series][]Point{}, horizon: map[series]int64{}}
}

// SetPolicy changes points and back window. The granularities and methods must stay.
func (m *Metric) SetPolicy(p Policy) { m.policy = p }

// coarsest returns the widest granularity.
func (m *Metric) coarsest() int64 {
	widest := int64(0)
	for _, g := range m.policy.Granularities {
		widest = max(widest, g.Nanos)
	}
	return widest
}

// WindowStart returns the time before which points of the next batch are late. Before the first batch there is none.
func (m *Metric) WindowStart() (int64, bool) {
	if len(m.raw) == 0 {
		return 0, false
	}
	window := int64(m.policy.BackWindow)
	for _, method := range m.policy.Methods {
		if strings.HasPrefix(method, "rate:") || isCounter(method) {
			window++ // once, for the point before the first difference
			break
		}
	}
	newest := m.raw[len(m.raw)-1].Time
	return floor(newest, m.coarsest()) - window*m.coarsest(), true
}

// Append processes one batch, in any order. Late points are dropped and counted; the others are accepted, and those of them
// that share their time with a raw point stored before or with one another count as duplicates but for the first.
func (m *Metric) Append(batch []Point) (accepted, late, duplicate int) {
	if len(batch) == 0 {
		return 0, 0, 0
	}
	batch = append([]Point(nil), batch...)
	sort.SliceStable(batch, func(i, j int) bool {
		if batch[i].Time != batch[j].Time {
			return batch[i].Time < batch[j].Time
		}
		return less(batch[i].Value, batch[j].Value)
	})
	oldestNew := batch[0].Time

	if start, ok := m.WindowStart(); ok {
		for len(batch) > 0 && batch[0].Time < start {
			batch = batch[1:]
			late++
		}
	}
	var added int
	m.raw, added = merge(m.raw, batch)
	if slices.ContainsFunc(m.policy.Methods, isCounter) {
		m.all, _ = merge(m.all, batch)
	}
	m.recompute(max(m.raw[0].Time, oldestNew))
	m.expire()
	start, _ := m.WindowStart()
	m.raw = notBefore(m.raw, start)
	return len(batch), late, len(batch) - added
}

// Measures returns the aggregates of a method and granularity at or after from, rounded down to the granularity, and
// before to; nil means no bound. Retention goes by the newest point of that method and the policy of now.
func (m *Metric) Measures(method string, granularityNanos int64, from, to *int64) []Point {
	var out []Point
	for _, p := range m.retained(series{method, granularityNanos}) {
		if from != nil && p.Time < floor(*from, granularityNanos) {
			continue
		}
		if to != nil && p.Time >= *to {
			continue
		}
		out = append(out, p)
	}
	return out
}

// Raw returns the raw points that are kept for later batches. Read only; valid until the next Append.
func (m *Metric) Raw() []Point { return m.raw }

// Horizon returns the newest time of the aggregates that retention has dropped, false if it has dropped none. It matters only
// to a policy that has grown since: at or before that time an engine may still have points which Measures does not show.
func (m *Metric) Horizon(method string, granularityNanos int64) (int64, bool) {
	t, ok := m.horizon[series{method, granularityNanos}]
	return t, ok
}

// recompute works out all aggregates from the raw points of every granularity's group of start on, and overwrites
// those that are stored.
func (m *Metric) recompute(start int64) {
	for _, g := range m.policy.Granularities {
		first := floor(start, g.Nanos)
		values := notBefore(m.raw, first)
		rates := notBefore(differences(notBefore(m.raw, first-g.Nanos)), first)
		for _, method := range m.policy.Methods {
			if isCounter(method) {
				m.stored[series{method, g.Nanos}] = Counters(method, g.Nanos, m.all)
				continue
			}
			samples := values
			base, isRate := strings.CutPrefix(method, "rate:")
			if isRate {
				samples = rates
			}
			s := series{method, g.Nanos}
			m.stored[s], _ = merge(m.stored[s], Aggregate(base, g.Nanos, samples))
		}
	}
}

// expire drops what retention hides.
func (m *Metric) expire() {
	for s, points := range m.stored {
		kept := m.retained(s)
		if dropped := len(points) - len(kept); dropped > 0 {
			m.horizon[s] = max(m.horizon[s], points[dropped-1].Time)
		}
		m.stored[s] = kept
	}
}

// retained returns the stored points that retention does not hide: those newer than the newest less the timespan.
func (m *Metric) retained(s series) []Point {
	points := m.stored[s]
	for _, g := range m.policy.Granularities {
		if g.Nanos == s.nanos && g.Points > 0 && len(points) > 0 {
			newest := points[len(points)-1].Time
			return notBefore(points, newest-g.Nanos*g.Points+1)
		}
	}
	return points
}

// merge returns old and added by time; of equal times the first of added stays. It also counts the times that old lacked.
func merge(old, added []Point) (merged []Point, fresh int) {
	known := map[int64]bool{}
	for _, p := range added {
		if !known[p.Time] {
			known[p.Time] = true
			merged = append(merged, p)
		}
	}
	for _, p := range old {
		if !known[p.Time] {
			merged = append(merged, p)
		}
	}
	sort.Slice(merged, func(i, j int) bool { return merged[i].Time < merged[j].Time })
	return merged, len(merged) - len(old)
}

// differences returns each value less the one before, at the time of the later.
func differences(points []Point) []Point {
	var out []Point
	for i := 1; i < len(points); i++ {
		out = append(out, Point{points[i].Time, points[i].Value - points[i-1].Value})
	}
	return out
}

// notBefore returns the points from start on.
func notBefore(points []Point, start int64) []Point {
	for len(points) > 0 && points[0].Time < start {
		points = points[1:]
	}
	return points
}

// floor rounds t down to a multiple of width.
func floor(t, width int64) int64 {
	f := t / width * width
	if f > t {
		f -= width // t is negative
	}
	return f
}
