package target

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"time"
)

const (
	hourMillis      = int64(3_600_000)
	bucketMillis    = int64(300_000)
	warmups         = 5
	longestQuery    = 12 * time.Second // all repetitions of one query together
	checkedPicks    = 3                // picks whose sum is compared between engines
	dashboardKey    = "group"
	dashboardValue  = "a"
	lookupKey       = "project"
	lookupValues    = 10
	pickStep        = 7919
	hourStep        = 104_729
	hourPlaces      = 1000
	checkedDecimals = 9
)

// question is one kind of query; ask answers pick i with a count and a sum that all engines must agree on.
type question struct {
	name string
	reps int
	ask  func(i int) (n, sum float64, err error)
}

func (p *phase) query() error {
	w := startWatch()
	if err := p.engine.Open(p.store, p.set, p.options); err != nil {
		return err
	}
	p.put("reopen_ms", w.wall()*1e3)
	p.put("reopen_cpu_ms", w.used()*1e3)
	runtime.GC()
	for _, q := range p.questions() {
		if err := p.time(q); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	p.put("peak_mib", peakMemoryMiB())
	return p.engine.Close()
}

func (p *phase) questions() []question {
	s := p.set
	pick := func(i int) Selection { return Selection{Series: (i*pickStep + 13) % len(s.Series)} }
	place := max(1, (s.MaxMillis-s.MinMillis-hourMillis)/hourPlaces)
	hour := func(i int) (from, to int64) {
		from = s.MinMillis + int64(i)*hourStep%hourPlaces*place
		return from, from + hourMillis - 1
	}
	group := Selection{Key: dashboardKey, Value: dashboardValue}
	qs := []question{
		{"q1", p.reps, func(i int) (float64, float64, error) { return p.raw(pick(i), s.MinMillis, s.MaxMillis) }},
		{"q2", p.reps * 5, func(i int) (float64, float64, error) {
			from, to := hour(i)
			return p.raw(pick(i), from, to)
		}},
		{"q3", p.reps, func(i int) (float64, float64, error) { return p.means(pick(i), s.MinMillis, s.MaxMillis) }},
		{"q4", max(5, p.reps/2), func(int) (float64, float64, error) {
			last := s.MaxMillis - s.MaxMillis%bucketMillis
			return p.means(group, last-hourMillis+bucketMillis, s.MaxMillis) // in whole buckets, as a dashboard asks
		}},
		{"q5", p.reps, func(i int) (float64, float64, error) {
			n, bytes, err := p.engine.Lookup(lookupKey, fmt.Sprintf("project-%d", i%lookupValues))
			return float64(n), float64(bytes), err
		}},
	}
	if d, ok := p.engine.(Downsampler); ok && s.StepMillis < bucketMillis {
		qs = append(qs, question{"q3stored", p.reps, func(i int) (float64, float64, error) {
			n, sum, err := d.StoredMeans(pick(i).Series, s.MinMillis, s.MaxMillis)
			return float64(n), sum, err
		}})
	}
	return qs
}

func (p *phase) raw(s Selection, from, to int64) (n, sum float64, err error) {
	err = p.engine.Scan(s, from, to, func(_ []int64, values []float64) {
		n += float64(len(values))
		for _, v := range values {
			sum += v
		}
	})
	return n, sum, err
}

// means is the sum over all buckets of the mean of all samples in the bucket, over all selected series.
func (p *phase) means(s Selection, from, to int64) (n, sum float64, err error) {
	if a, ok := p.engine.(Averager); ok && s.Key == "" {
		buckets, sum, err := a.Means(s.Series, from, to, time.Duration(bucketMillis)*time.Millisecond)
		return float64(buckets), sum, err
	}
	if a, ok := p.engine.(GroupAverager); ok && s.Key != "" {
		buckets, sum, err := a.GroupMeans(s.Key, s.Value, from, to, time.Duration(bucketMillis)*time.Millisecond)
		return float64(buckets), sum, err
	}
	f := newFold(from, to, bucketMillis, int64(time.Millisecond/p.engine.Unit()))
	err = p.engine.Scan(s, from, to, f.add)
	n, sum = f.result()
	return n, sum, err
}

// time asks q repeatedly over changing picks, with everything in the page cache, and notes the median and the best.
func (p *phase) time(q question) error {
	for i := range warmups {
		if _, _, err := q.ask(i); err != nil {
			return err
		}
	}
	took := make([]float64, 0, q.reps)
	checked := 0.0
	w := startWatch()
	for i := range q.reps {
		if i >= checkedPicks && w.wall() > longestQuery.Seconds() {
			break
		}
		start := time.Now()
		_, sum, err := q.ask(i)
		took = append(took, float64(time.Since(start).Nanoseconds())/1e3)
		if err != nil {
			return err
		}
		if i < checkedPicks {
			checked += sum
		}
	}
	p.put(q.name+"_cpu_us", w.used()/float64(len(took))*1e6)
	slices.Sort(took)
	p.put(q.name+"_median_us", took[len(took)/2])
	p.put(q.name+"_best_us", took[0])
	p.result.Texts[q.name+"_sum"] = strconv.FormatFloat(checked, 'g', checkedDecimals, 64)
	return nil
}

// fold adds samples up in buckets of one width.
type fold struct {
	base, width int64 // in the engine's unit
	sums        []float64
	counts      []int64
}

func newFold(fromMillis, toMillis, widthMillis, unitsPerMilli int64) *fold {
	base := fromMillis - fromMillis%widthMillis
	n := (toMillis-base)/widthMillis + 1
	return &fold{base: base * unitsPerMilli, width: widthMillis * unitsPerMilli, sums: make([]float64, n), counts: make([]int64, n)}
}

func (f *fold) add(times []int64, values []float64) {
	values = values[:len(times)]
	for i := 0; i < len(times); {
		bucket := (times[i] - f.base) / f.width
		end := f.base + (bucket+1)*f.width
		first, sum := i, 0.0
		for ; i < len(times) && times[i] < end; i++ {
			sum += values[i]
		}
		f.sums[bucket] += sum
		f.counts[bucket] += int64(i - first)
	}
}

func (f *fold) result() (n, sum float64) {
	for i, count := range f.counts {
		if count > 0 {
			n++
			sum += f.sums[i] / float64(count)
		}
	}
	return n, sum
}
