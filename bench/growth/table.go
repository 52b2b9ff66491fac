package growth

import (
	"fmt"
	"maps"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/results"
)

// Table has a row for each cost and a column for each size of one dimension; the last column is what the largest size costs, in
// times of the least.
func Table(sizes []results.Growth) table.Writer {
	t := table.NewWriter()
	head := table.Row{sizes[0].Dimension}
	for _, g := range sizes {
		head = append(head, fmt.Sprintf("%.0f", g.Size))
	}
	last := sizes[len(sizes)-1]
	t.AppendHeader(append(head, fmt.Sprintf("growth over x %.0f", last.Size/sizes[0].Size)))
	for _, cost := range slices.Sorted(maps.Keys(sizes[0].Costs)) {
		row := table.Row{cost}
		for _, g := range sizes {
			row = append(row, fmt.Sprintf("%.4g", g.Costs[cost]))
		}
		t.AppendRow(append(row, fmt.Sprintf("%.2f", last.Costs[cost]/sizes[0].Costs[cost])))
	}
	return t
}
