package query

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Rank orders results by what a statistic makes of the points of each, those of the coarsest granularity.
type Rank struct {
	by   string
	base uint8
	asc  bool
}

// ParseRank reads a statistic, or first or last, with ":asc" or ":desc" behind it; desc if there is neither.
func ParseRank(s string) (Rank, bool) {
	name, dir, _ := strings.Cut(s, ":")
	r := Rank{by: name, asc: dir == "asc"}
	if dir != "" && dir != "asc" && dir != "desc" || strings.HasSuffix(s, ":") {
		return r, false
	}
	if name == "first" || name == "last" {
		return r, true
	}
	st, ok := parseStatistic(name)
	r.base = st.base
	return r, ok && !st.rate
}

// Order gives the indexes of results in their order, at most limit of them, 0: all. Those without a value come last, and equals stay in
// their order.
func (r Rank) Order(results [][]Series, limit int) []int {
	order := make([]int, len(results))
	keys := make([]float64, len(results))
	for i, s := range results {
		order[i], keys[i] = i, r.key(s)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := keys[a], keys[b]
		if x != x || y != y {
			return cmp.Compare(truth(x != x), truth(y != y))
		}
		if r.asc {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(y, x)
	})
	if limit > 0 && limit < len(order) {
		order = order[:limit]
	}
	return order
}

func (r Rank) key(series []Series) float64 {
	if len(series) == 0 || len(series[0].Values) == 0 {
		return math.NaN()
	}
	vs := series[0].Values
	switch r.by {
	case "first":
		return vs[0]
	case "last":
		return vs[len(vs)-1]
	}
	var w window
	return w.of(r.base, vs)
}
