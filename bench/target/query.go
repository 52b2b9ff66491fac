package target

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// LatencyCount is how many latencies of a question a Result keeps at most.
const LatencyCount = 200

const (
	hourMillis      = int64(3_600_000)
	bucketMillis    = int64(300_000)
	warmups         = 5
	longestWarmup   = 2 * time.Second // of one query; the first time is always made
	longestQuery    = 8 * time.Second // all repetitions of one query together; the checked picks are always made
	checkedPicks    = 3               // picks whose sum is compared with the set's
	dashboardKey    = "group"
	dashboardValue  = "a"
	lookupKey       = "project"
	lookupValues    = 10
	pickStep        = 7919
	hourStep        = 104_729
	hourPlaces      = 1000
	checkedDecimals = 9
)

// newest are the numbers of newest samples asked for: a dashboard's, and what the founding article lists.
var newest = []int{1000, 9127}

// question is one kind of query; ask answers pick i with a count and a sum that all engines must agree on.
type question struct {
	name string
	reps int
	ask  func(i int) (n, sum float64, err error)
}

func (p *phase) query() error {
	w := p.watch()
	if err := p.open(); err != nil {
		return err
	}
	p.put("reopen_ms", w.wall()*1e3)
	p.put("reopen_cpu_ms", w.used().all()*1e3)
	p.noteVersion()
	runtime.GC()
	for _, q := range p.questions() {
		if err := p.time(q); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	p.putPeak()
	return p.engine.Close()
}

func (p *phase) questions() []question {
	s := p.set
	pick := func(i int) Selection { return Selection{Series: ((p.seed+i)*pickStep + 13) % len(s.Series)} }
	group := Selection{Key: dashboardKey, Value: dashboardValue}
	projects := projectsOf(s)
	qs := []question{
		{"q1", p.reps, func(i int) (float64, float64, error) { return p.raw(pick(i), s.MinMillis, s.MaxMillis) }},
		{"q2", p.reps * 5, func(i int) (float64, float64, error) {
			from, to := p.hour(i)
			return p.raw(pick(i), from, to)
		}},
		{"q3", p.reps, func(i int) (float64, float64, error) { return p.means(pick(i), s.MinMillis, s.MaxMillis) }},
		{"q4", max(5, p.reps/2), func(int) (float64, float64, error) {
			last := s.MaxMillis - s.MaxMillis%bucketMillis
			return p.means(group, last-hourMillis+bucketMillis, s.MaxMillis) // in whole buckets, as a dashboard asks
		}},
		{"q5", p.reps, func(i int) (float64, float64, error) {
			n, bytes, err := p.engine.Lookup(lookupKey, projects[(p.seed+i)%len(projects)])
			return float64(n), float64(bytes), err
		}},
	}
	for _, n := range newest {
		if s.Samples/int64(len(s.Series)) >= int64(n) {
			qs = append(qs, question{fmt.Sprintf("qn%d", n), p.reps, func(i int) (float64, float64, error) { return p.newest(pick(i).Series, n) }})
		}
	}
	if d, ok := p.engine.(Downsampler); ok && s.StepMillis < bucketMillis {
		qs = append(qs, question{"q3stored", p.reps, func(i int) (float64, float64, error) {
			n, sum, err := d.StoredMeans(pick(i).Series, s.MinMillis, s.MaxMillis)
			return float64(n), sum, err
		}})
	}
	return qs
}

// hour chooses an hour of the set.
func (p *phase) hour(i int) (from, to int64) {
	place := max(1, (p.set.MaxMillis-p.set.MinMillis-hourMillis)/hourPlaces)
	from = p.set.MinMillis + int64(p.seed+i)*hourStep%hourPlaces*place
	return from, from + hourMillis - 1
}

// projectsOf are the first projects of the set in the order of their names.
func projectsOf(s *dataset.Set) (names []string) {
	for _, one := range s.Series {
		names = append(names, one.Project)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(lookupValues, len(names))]
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

// newest adds up the newest n samples of a series. Who has no list of them is asked for a span that is widened until it holds so many.
func (p *phase) newest(series, n int) (count, sum float64, err error) {
	if l, ok := p.engine.(Lister); ok {
		err = l.Newest(series, n, func(_ []int64, values []float64) {
			count += float64(len(values))
			for _, v := range values {
				sum += v
			}
		})
		return count, sum, err
	}
	s := p.set
	for span := max(1, s.StepMillis) * int64(n+2); ; span *= 2 {
		p.values = p.values[:0]
		from := max(s.MinMillis, s.MaxMillis-span)
		err := p.engine.Scan(Selection{Series: series}, from, s.MaxMillis, func(_ []int64, values []float64) {
			p.values = append(p.values, values...)
		})
		if err != nil {
			return 0, 0, err
		}
		if len(p.values) >= n || from == s.MinMillis || span > math.MaxInt64/4 {
			break
		}
	}
	found := p.values[max(0, len(p.values)-n):]
	for _, v := range found {
		sum += v
	}
	return float64(len(found)), sum, nil
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
	if f.strays > 0 && err == nil {
		err = fmt.Errorf("%d samples outside of the span asked for", f.strays)
	}
	n, sum = f.result()
	return n, sum, err
}

// time asks q repeatedly over changing picks, with everything in the page cache, and notes how long the answers took.
func (p *phase) time(q question) error {
	for i, w := 0, p.watch(); i < warmups && (i == 0 || w.wall() < longestWarmup.Seconds()); i++ {
		if _, _, err := q.ask(i); err != nil {
			return err
		}
	}
	took := make([]float64, 0, q.reps)
	checked := 0.0
	w := p.watch()
	for i := range q.reps {
		if i >= checkedPicks && w.wall() > longestQuery.Seconds() {
			break
		}
		start := time.Now()
		_, sum, err := q.ask(i)
		took = append(took, micros(time.Since(start)))
		if err != nil {
			return err
		}
		if i < checkedPicks {
			checked += sum
		}
	}
	if len(took) == 0 {
		return errors.New("asked not even once")
	}
	p.put(q.name+"_cpu_us", w.used().all()/float64(len(took))*1e6)
	p.latencies(q.name, took)
	p.result.Texts[q.name+"_sum"] = strconv.FormatFloat(checked, 'g', checkedDecimals, 64)
	return nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// latencies notes best, median, and the slow ends of what question name took in microseconds, and keeps a part of it; took is sorted.
func (p *phase) latencies(name string, took []float64) {
	slices.Sort(took)
	p.put(name+"_best_us", took[0])
	for _, at := range []struct {
		name string
		part float64
	}{{"median", 0.5}, {"p90", 0.9}, {"p99", 0.99}} {
		p.put(name+"_"+at.name+"_us", took[int(at.part*float64(len(took)))])
	}
	p.put(name+"_asked", float64(len(took)))
	kept := make([]float64, min(LatencyCount, len(took)))
	for i := range kept {
		kept[i] = math.Round(took[i*len(took)/len(kept)]*10) / 10
	}
	kept[len(kept)-1] = math.Round(took[len(took)-1]*10) / 10
	if p.result.Latencies == nil {
		p.result.Latencies = map[string][]float64{}
	}
	p.result.Latencies[name] = kept
}

// fold adds samples up in buckets of one width.
type fold struct {
	base, width int64 // in the engine's unit
	sums        []float64
	counts      []int64
	strays      int // samples that were not asked for
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
		if times[i] < f.base || bucket >= int64(len(f.sums)) {
			f.strays++
			i++
			continue
		}
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
