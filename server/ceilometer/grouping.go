package ceilometer

import (
	"cmp"
	"math"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
)

// grouping collects samples in groups: of a period, a unit, and values that the request names.
type grouping struct {
	q          *statisticsQuery
	origin     int64 // of periods, in milliseconds
	u          *usage
	stddev     bool
	cardinals  []string // fields whose values are counted
	classes    map[string]*class
	ofKey      map[sameKey]*class // with what the samples count as
	groups     map[groupKey]*statistic
	clock      clock
	lastKey    sameKey
	lastClass  *class
	lastValues *classValues
	values     map[sameKey]*classValues
}

// class is what samples have in common that are in one group if their period is one.
type class struct {
	number  int
	unit    string
	groupBy string // as JSON
}

// classValues are the values to be counted that samples of a metric and a context have.
type classValues struct{ texts []string }

type groupKey struct {
	class int
	index int64 // of the period
}

// statistic is a group.
type statistic struct {
	class       *class
	index       int64
	n           int64
	min, max    float64
	sum, lost   float64 // lost is what adding up has rounded away
	mean, m2    float64 // of the deviations
	first, last int64   // nanoseconds since the Unix epoch
	distinct    []map[string]struct{}
}

func newGrouping(q *statisticsQuery, origin int64, u *usage) *grouping {
	g := &grouping{q: q, origin: origin, u: u, classes: map[string]*class{}, ofKey: map[sameKey]*class{}, groups: map[groupKey]*statistic{},
		values: map[sameKey]*classValues{}}
	for _, a := range q.aggregates {
		switch a.function {
		case "stddev":
			g.stddev = true
		case "cardinality":
			g.cardinals = append(g.cardinals, a.param)
		}
	}
	return g
}

// classOf gives the class of a metric's samples of a context; nil: the metric is gone.
func (g *grouping) classOf(k *known, key sameKey) (*class, error) {
	if g.lastClass != nil && key == g.lastKey {
		return g.lastClass, nil
	}
	c, ok := g.ofKey[key]
	if !ok {
		m, err := k.meter(key.ref)
		if m == nil || err != nil {
			return nil, err
		}
		x, err := k.context(m, key.c)
		if err != nil {
			return nil, err
		}
		c = g.newClass(m, x)
		g.ofKey[key] = c
		g.values[key] = g.newValues(m, x)
		if err := g.u.keep(200); err != nil {
			return nil, err
		}
	}
	g.lastKey, g.lastClass, g.lastValues = key, c, g.values[key]
	return c, nil
}

func (g *grouping) newClass(m *meter, x *engine.Context) *class {
	b := []byte("null")
	if len(g.q.groupBy) > 0 {
		b = append(b[:0], '{')
		for i, field := range g.q.groupBy {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(appendText(b, field), ": "...)
			b = appendOptText(b, groupValue(field, m, x))
		}
		b = append(b, '}')
	}
	name := x.Unit + "\x00" + string(b)
	c := g.classes[name]
	if c == nil {
		c = &class{number: len(g.classes), unit: x.Unit, groupBy: string(b)}
		g.classes[name] = c
	}
	return c
}

// groupValue is the value that samples have of a field.
func groupValue(field string, m *meter, x *engine.Context) *string {
	switch field {
	case "user_id":
		return x.UserID
	case "project_id":
		return x.ProjectID
	case "source":
		return &x.Source
	case "resource_id":
		return &m.resource.OriginalID
	}
	if v, ok := lookUp(decodeMetadata(x.Metadata), "instance_type"); ok && v != nil {
		s := pythonText(v)
		return &s
	}
	return nil
}

func (g *grouping) newValues(m *meter, x *engine.Context) *classValues {
	v := &classValues{}
	for _, field := range g.cardinals {
		s := "n"
		if text := groupValue(field, m, x); text != nil {
			s = "t" + *text
		}
		v.texts = append(v.texts, s)
	}
	return v
}

// add adds samples of the class that classOf gave last, which are in the order of their times.
func (g *grouping) add(c *class, times []int64, values []float64) error {
	for i := 0; i < len(times); {
		index, end := int64(0), int64(math.MaxInt64)
		if p := g.q.period; p > 0 {
			index = floorDiv(floorDiv(times[i], milli)-g.origin, p)
			end = afterMillis(g.origin+(index+1)*p, false)
		}
		j := len(times)
		if times[j-1] >= end {
			j = i + 1
			for times[j] < end {
				j++
			}
		}
		s, err := g.at(c, index)
		if err != nil {
			return err
		}
		s.first, s.last = min(s.first, times[i]), max(s.last, times[j-1])
		if s.add(values[i:j]); g.stddev {
			s.deviate(values[i:j])
		}
		if err := g.count(s); err != nil {
			return err
		}
		i = j
	}
	return nil
}

// at gives the group of a class and a period.
func (g *grouping) at(c *class, index int64) (*statistic, error) {
	key := groupKey{c.number, index}
	s := g.groups[key]
	if s == nil {
		s = &statistic{class: c, index: index, min: math.Inf(1), max: math.Inf(-1), first: math.MaxInt64, last: math.MinInt64}
		s.distinct = make([]map[string]struct{}, len(g.cardinals))
		g.groups[key] = s
		return s, g.u.keep(200)
	}
	return s, nil
}

// count notes the values that samples have which were just added.
func (g *grouping) count(s *statistic) error {
	for i, text := range g.lastValues.texts {
		if s.distinct[i] == nil {
			s.distinct[i] = map[string]struct{}{}
		}
		if _, ok := s.distinct[i][text]; !ok {
			s.distinct[i][text] = struct{}{}
			if err := g.u.keep(50); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds up values. What a sum loses by rounding is kept beside it (Neumaier).
func (s *statistic) add(values []float64) {
	least, most, sum, lost := s.min, s.max, s.sum, s.lost
	for _, v := range values {
		least, most = min(least, v), max(most, v)
		t := sum + v
		if math.Abs(sum) >= math.Abs(v) {
			lost += (sum - t) + v
		} else {
			lost += (v - t) + sum
		}
		sum = t
	}
	s.min, s.max, s.sum, s.lost = least, most, sum, lost
	s.n += int64(len(values))
}

// deviate adds values to the sum of squared deviations from the mean (Welford). They are among the n samples already.
func (s *statistic) deviate(values []float64) {
	n := float64(s.n - int64(len(values)))
	for _, v := range values {
		n++
		d := v - s.mean
		s.mean += d / n
		s.m2 += d * (v - s.mean)
	}
}

func (s *statistic) total() float64 {
	if t := s.sum + s.lost; !math.IsNaN(t) {
		return t
	}
	return s.sum
}

// value gives an aggregate.
func (s *statistic) value(function string) float64 {
	switch function {
	case "max":
		return s.max
	case "min":
		return s.min
	case "sum":
		return s.total()
	case "avg":
		return s.total() / float64(s.n)
	case "stddev":
		return math.Sqrt(s.m2 / float64(s.n))
	}
	return float64(s.n)
}

// sorted gives the groups in the order of their periods, then as their classes came up.
func (g *grouping) sorted() []*statistic {
	out := make([]*statistic, 0, len(g.groups))
	for _, s := range g.groups {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *statistic) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.class.number, b.class.number))
	})
	return out
}
