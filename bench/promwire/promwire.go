// Package promwire is what servers of Prometheus' kind have in common: remote write, labels and selectors, the matrix that a range query
// answers with, and listing series.
//
// An Encoder serves one goroutine.
package promwire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/golang/snappy"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/remote"
	"github.com/telemetrydb/tsdb/bench/target"
)

// labels are those of a series in the order of their names.
func labels(s dataset.Series) [5][2]string {
	return [5][2]string{{"__name__", s.Metric}, {"group", s.Group}, {"host", s.Host}, {"project", s.Project}, {"resource", s.Resource}}
}

// Selector is a selection as a query has it: {"name" = ...} needs no metric name that is an identifier.
func Selector(set *dataset.Set, s target.Selection) string {
	if s.Key != "" {
		return fmt.Sprintf("{%s=%q}", s.Key, s.Value)
	}
	one := set.Series[s.Series]
	return fmt.Sprintf("{__name__=%q,resource=%q}", one.Metric, one.Resource)
}

// Fields of the messages of remote write 1, each with the wire type that it has.
const (
	fieldSeries  = 1<<3 | 2 // of WriteRequest
	fieldLabels  = 1<<3 | 2 // of TimeSeries
	fieldSamples = 2<<3 | 2
	fieldName    = 1<<3 | 2 // of Label
	fieldText    = 2<<3 | 2
	fieldValue   = 1<<3 | 1 // of Sample
	fieldMillis  = 2 << 3
)

// Encoder makes bodies of remote write.
type Encoder struct {
	labels  [][]byte         // of each series, encoded; shared by encoders
	samples []dataset.Sample // of the batch, by series
	one     []byte           // a series' message
	body    []byte
	packed  []byte
}

// Labels encodes the labels of a set's series once for all encoders.
func Labels(set *dataset.Set) [][]byte {
	all := make([][]byte, len(set.Series))
	for i, s := range set.Series {
		for _, l := range labels(s) {
			var label []byte
			label = appendText(label, fieldName, l[0])
			label = appendText(label, fieldText, l[1])
			all[i] = binary.AppendUvarint(append(all[i], fieldLabels), uint64(len(label)))
			all[i] = append(all[i], label...)
		}
	}
	return all
}

func appendText(dst []byte, field byte, s string) []byte {
	return append(binary.AppendUvarint(append(dst, field), uint64(len(s))), s...)
}

// NewEncoder returns an encoder of what Labels gave.
func NewEncoder(labels [][]byte) *Encoder { return &Encoder{labels: labels} }

// Encode is the body for samples, compressed. It is valid until the next call.
func (e *Encoder) Encode(samples []dataset.Sample) []byte {
	e.samples = append(e.samples[:0], samples...)
	slices.SortStableFunc(e.samples, func(a, b dataset.Sample) int { return int(a.Series) - int(b.Series) })
	e.body = e.body[:0]
	for rest := e.samples; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Series == rest[0].Series {
			n++
		}
		e.one = append(e.one[:0], e.labels[rest[0].Series]...)
		for _, s := range rest[:n] {
			e.one = appendSample(e.one, s)
		}
		e.body = binary.AppendUvarint(append(e.body, fieldSeries), uint64(len(e.one)))
		e.body = append(e.body, e.one...)
		rest = rest[n:]
	}
	e.packed = snappy.Encode(e.packed[:cap(e.packed)], e.body)
	return e.packed
}

func appendSample(dst []byte, s dataset.Sample) []byte {
	var b [32]byte
	one := binary.LittleEndian.AppendUint64(append(b[:0], fieldValue), math.Float64bits(s.Value))
	one = binary.AppendUvarint(append(one, fieldMillis), uint64(s.Millis))
	return append(append(dst, fieldSamples, byte(len(one))), one...)
}

// Write posts samples to the server's path.
func Write(c *remote.Client, path string, e *Encoder, samples []dataset.Sample) error {
	_, err := c.Do("POST", path, "application/x-protobuf", e.Encode(samples))
	return err
}

// Range is a range query over whole buckets: its expression gives the bucket that ends with the millisecond it is asked at. The last bucket may
// reach beyond to, where there are no samples.
func Range(expression string, from, to, widthMillis int64) url.Values {
	first := from - from%widthMillis + widthMillis - 1
	last := to - to%widthMillis + widthMillis - 1
	return url.Values{"query": {expression}, "start": {Seconds(first)}, "end": {Seconds(last)}, "step": {Seconds(widthMillis)}}
}

// Seconds is a time or duration of milliseconds as parameters have it.
func Seconds(millis int64) string { return strconv.FormatFloat(float64(millis)/1e3, 'f', 3, 64) }

// SumMatrix adds up the values of all series in the answer to a range query.
func SumMatrix(answer []byte) (n int, sum float64, err error) {
	if !strings.HasPrefix(string(answer[:min(len(answer), 40)]), `{"status":"success"`) {
		return 0, 0, fmt.Errorf("no success: %.200s", answer)
	}
	r := remote.NewReader(answer)
	for r.Skip(`"values":[`) {
		for {
			r.Want('[')
			r.Number()
			r.Want(',')
			sum += r.Number()
			r.Want(']')
			n++
			if r.Err() != nil {
				return 0, 0, r.Err()
			}
			if !r.Is(',') {
				break
			}
		}
	}
	return n, sum, nil
}

// GroupMean is an expression for the mean of all samples of all series that a selector has, in buckets so wide.
func GroupMean(selector, width string) string {
	return fmt.Sprintf("sum(sum_over_time(%s[%s]))/sum(count_over_time(%s[%s]))", selector, width, selector, width)
}

// Lookup lists the series that have a label, by /api/v1/series, and adds up the bytes of their labels.
func Lookup(c *remote.Client, set *dataset.Set, key, value string) (series, nameBytes int, err error) {
	q := url.Values{"match[]": {fmt.Sprintf("{%s=%q}", key, value)}, "start": {Seconds(set.MinMillis)}, "end": {Seconds(set.MaxMillis)}}
	answer, err := c.Get("/api/v1/series?" + q.Encode())
	if err != nil {
		return 0, 0, err
	}
	var list struct{ Data []map[string]string }
	if err := json.Unmarshal(answer, &list); err != nil {
		return 0, 0, err
	}
	for _, one := range list.Data {
		for _, text := range one {
			nameBytes += len(text)
		}
	}
	return len(list.Data), nameBytes, nil
}
