package main

import (
	"slices"
	"strconv"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/remote"
)

// body is a request's body, whose memory a writer uses again.
type body struct {
	samples []dataset.Sample
	text    []byte
}

// encode writes samples as Ceilometer's publisher does:
//
//	{RESOURCE: {METRIC: {"archive_policy_name": P, "unit": U, "measures": [{"timestamp": T, "value": V}, ...]}}}
//
// A metric has no labels but its fields; the group takes the place of the unit. The result is valid until the next call.
func (b *body) encode(set *dataset.Set, rank []int, samples []dataset.Sample) []byte {
	b.samples = append(b.samples[:0], samples...)
	slices.SortStableFunc(b.samples, func(x, y dataset.Sample) int { return rank[x.Series] - rank[y.Series] })
	out := append(b.text[:0], '{')
	for i, x := range b.samples {
		one := &set.Series[x.Series]
		switch {
		case i > 0 && b.samples[i-1].Series == x.Series:
			out = append(out, ',')
		case i > 0 && set.Series[b.samples[i-1].Series].Resource == one.Resource:
			out = appendMetric(append(out, `]},`...), one)
		default:
			if i > 0 {
				out = append(out, `]}},`...)
			}
			out = appendMetric(append(strconv.AppendQuote(out, one.Resource), `:{`...), one)
		}
		out = remote.AppendTime(append(out, `{"timestamp":"`...), x.Millis)
		out = strconv.AppendFloat(append(out, `","value":`...), x.Value, 'g', -1, 64)
		out = append(out, '}')
	}
	b.text = append(out, `]}}}`...)
	return b.text
}

func appendMetric(dst []byte, one *dataset.Series) []byte {
	dst = append(strconv.AppendQuote(dst, one.Metric), `:{"archive_policy_name":"`+policyName+`","unit":`...)
	return append(strconv.AppendQuote(dst, one.Group), `,"measures":[`...)
}
