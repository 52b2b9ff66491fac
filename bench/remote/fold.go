package remote

import (
	"fmt"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target"
)

// Fold adds samples up to the mean of each bucket, for servers that cannot do so themselves. The zero value has no width and is of no use.
type Fold struct {
	Width   int64 // in the unit of the times
	buckets map[int64]*bucket
}

type bucket struct{ sum, count float64 }

// Add adds samples.
func (f *Fold) Add(times []int64, values []float64) {
	for i, t := range times {
		f.AddSum(t, values[i], 1)
	}
}

// AddSum adds that many samples of the bucket that t is in, of which the sum is known.
func (f *Fold) AddSum(t int64, sum, count float64) {
	if f.buckets == nil {
		f.buckets = map[int64]*bucket{}
	}
	b := f.buckets[t/f.Width]
	if b == nil {
		b = &bucket{}
		f.buckets[t/f.Width] = b
	}
	b.sum, b.count = b.sum+sum, b.count+count
}

// Means is how many buckets there are and the sum of their means.
func (f *Fold) Means() (n int, sum float64) {
	for _, b := range f.buckets {
		sum += b.sum / b.count
	}
	return len(f.buckets), sum
}

// Whole tells whether buckets of width that touch from <= time <= to (milliseconds) have no samples of the set outside of that, so that a server that
// only knows whole buckets may be asked for them.
func Whole(set *dataset.Set, from, to, width int64) bool {
	return (from%width == 0 || from <= set.MinMillis) && ((to+1)%width == 0 || to >= set.MaxMillis)
}

// Folded is the means of what scan gives, for questions that the server has no answer for.
func Folded(t target.Target, s target.Selection, from, to, width int64) (n int, sum float64, err error) {
	f := Fold{Width: width}
	err = t.Scan(s, from, to, f.Add)
	n, sum = f.Means()
	return n, sum, err
}

// Label is what a series has as one of the labels that series are chosen by.
func Label(one *dataset.Series, key string) (string, error) {
	switch key {
	case "project":
		return one.Project, nil
	case "group":
		return one.Group, nil
	}
	return "", fmt.Errorf("no label %q", key)
}

// EachSeries calls scan for each series of the set that has a label, for servers that cannot be asked for their samples at once.
func EachSeries(set *dataset.Set, s target.Selection, scan func(target.Selection) error) error {
	for i := range set.Series {
		text, err := Label(&set.Series[i], s.Key)
		if err == nil && text == s.Value {
			err = scan(target.Selection{Series: i})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Names are the names of the metrics of a group. alone tells that no series outside of it has one of them.
func Names(set *dataset.Set, key, value string) (names []string, alone bool, err error) {
	inside := map[string]bool{}
	for i := range set.Series {
		one := &set.Series[i]
		text, err := Label(one, key)
		if err != nil {
			return nil, false, err
		}
		if text == value && !inside[one.Metric] {
			inside[one.Metric] = true
			names = append(names, one.Metric)
		}
	}
	alone = true
	for i := range set.Series {
		one := &set.Series[i]
		text, _ := Label(one, key)
		alone = alone && (text == value || !inside[one.Metric])
	}
	return names, alone, nil
}
