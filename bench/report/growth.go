package report

import (
	"slices"
	"strings"
)

// growthSection shows what more work costs: a table for each dimension, a column for each size.
func (r *Report) growthSection() (s section, any bool) {
	s = section{ID: "growth", Title: "Cost as work grows",
		Lead: "The last column is by what factor a cost has grown from the smallest size to the largest, beside the factor of the size."}
	var dimensions []string
	for _, g := range r.growth {
		if !slices.Contains(dimensions, g.Dimension) {
			dimensions = append(dimensions, g.Dimension)
		}
	}
	for _, d := range dimensions {
		s.Tables = append(s.Tables, r.growthTable(d))
	}
	return s, len(dimensions) > 0
}

func (r *Report) growthTable(dimension string) table {
	costs := map[string]map[float64]float64{} // by name and size; of a size measured twice the newest
	var sizes []float64
	for _, g := range r.growth {
		if g.Dimension != dimension {
			continue
		}
		sizes = append(sizes, g.Size)
		for name, v := range g.Costs {
			if costs[name] == nil {
				costs[name] = map[float64]float64{}
			}
			costs[name][g.Size] = v
		}
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	t := table{Title: "More " + dimension, Head: []string{"cost"}}
	for _, size := range sizes {
		t.Head = append(t.Head, count(size))
	}
	t.Head = append(t.Head, "growth")
	var names []string
	for name := range costs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		title, unit := costUnit(name)
		row := cells(title)
		for _, size := range sizes {
			if v, ok := costs[name][size]; ok {
				row = append(row, text(Number(v, unit)))
			} else {
				row = append(row, text("-"))
			}
		}
		t.Rows = append(t.Rows, append(row, growthOf(costs[name])))
	}
	return t
}

// growthOf compares the cost at the largest size with that at the smallest.
func growthOf(costs map[float64]float64) cell {
	var sizes []float64
	for size := range costs {
		sizes = append(sizes, size)
	}
	least, most := slices.Min(sizes), slices.Max(sizes)
	if least == most || least <= 0 || costs[least] <= 0 {
		return text("-")
	}
	return text(digits(round3(costs[most]/costs[least])) + "× for " + digits(round3(most/least)) + "×")
}

// costUnit splits the name of a cost, which ends in its unit: "disk, B/sample", "query_ms".
func costUnit(name string) (title, unit string) {
	if at := strings.LastIndex(name, ", "); at >= 0 && !strings.Contains(name[at+2:], " ") {
		return name[:at], name[at+2:]
	}
	if q, aspect, ok := questionOf(name); ok {
		return questionTitle(q) + ", " + aspects[aspect].title, "us"
	}
	_, k := kindOf(name)
	return k.title, k.unit
}
