package target

import (
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// Answers gives what the checked picks of each question of the phase query add up to, by name of the question, reckoned from the set's rows.
func Answers(set *dataset.Set, seed int) (map[string]float64, error) {
	p := &phase{set: set, seed: seed, reps: checkedPicks}
	r := &reference{set: set, from: set.MaxMillis - hourMillis, columns: map[uint32]*column{}}
	p.engine = r
	for i := range checkedPicks {
		series := uint32(((seed+i)*pickStep + 13) % len(set.Series))
		r.columns[series] = &column{}
	}
	if err := r.read(); err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for _, q := range p.questions() {
		for i := range min(q.reps, checkedPicks) {
			_, sum, err := q.ask(i)
			if err != nil {
				return nil, err
			}
			out[q.name] += sum
		}
	}
	out["q3stored"] = out["q3"]
	return out, nil
}

// column is the samples of a series.
type column struct {
	times  []int64
	values []float64
}

// reference answers from the rows of the set themselves. It keeps of them what the checked picks need: some whole series, and of all the end.
type reference struct {
	set     *dataset.Set
	columns map[uint32]*column // of the whole series
	from    int64              // of ends
	ends    []column           // by series
}

func (r *reference) read() error {
	rows, err := r.set.Share(0, 1)
	if err != nil {
		return err
	}
	defer rows.Close()
	r.ends = make([]column, len(r.set.Series))
	batch := make([]dataset.Sample, 4096)
	for {
		n, err := rows.Next(batch)
		if err != nil || n == 0 {
			return err
		}
		for _, s := range batch[:n] {
			if c := r.columns[s.Series]; c != nil {
				c.add(s)
			}
			if s.Millis >= r.from {
				r.ends[s.Series].add(s)
			}
		}
	}
}

func (c *column) add(s dataset.Sample) {
	c.times, c.values = append(c.times, s.Millis), append(c.values, s.Value)
}

func (c *column) emit(from, to int64, emit func([]int64, []float64)) {
	for i, t := range c.times {
		if t >= from && t <= to {
			emit(c.times[i:i+1], c.values[i:i+1])
		}
	}
}

func (r *reference) Scan(s Selection, from, to int64, emit func([]int64, []float64)) error {
	if s.Key == "" {
		r.columns[uint32(s.Series)].emit(from, to, emit)
		return nil
	}
	for i, one := range r.set.Series {
		if label(one, s.Key) == s.Value {
			r.ends[i].emit(from, to, emit)
		}
	}
	return nil
}

// label is one of the two labels that series are found by.
func label(s dataset.Series, key string) string {
	if key == lookupKey {
		return s.Project
	}
	return s.Group
}

func (r *reference) Lookup(key, value string) (series, nameBytes int, err error) {
	for _, s := range r.set.Series {
		if label(s, key) == value {
			series++
			nameBytes += len(s.Metric) + len(s.Resource) + len(s.Project) + len(s.Host) + len(s.Group)
		}
	}
	return series, nameBytes, nil
}

func (r *reference) Open(string, *dataset.Set, Options) error { return nil }
func (r *reference) Append(int, []dataset.Sample) error       { return nil }
func (r *reference) Settle() error                            { return nil }
func (r *reference) Unit() time.Duration                      { return time.Millisecond }
func (r *reference) Close() error                             { return nil }
