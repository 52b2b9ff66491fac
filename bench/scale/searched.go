package scale

import (
	"fmt"
	"slices"
	"strings"
)

// searched adds the slowest filter, and a table of all: warm and, in brackets, the first time.
func (r *Report) searched(resources int, m figures) {
	w := &r.searches
	fmt.Fprintf(w, "\nSearches among %s resources, ms warm (first time); peak memory %.0f MiB:\n\n", grouped(resources), m["peak MiB searching"])
	w.WriteString("| filter | found | to the bitmap | first id | first 100 by started_at | by display_name, descending | not met |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	slowest, firsts := map[string]float64{}, map[string][]float64{}
	for i, s := range searches() {
		get := func(key string) float64 { return m[fmt.Sprintf("%d %s", i, key)] }
		var missed []string
		fmt.Fprintf(w, "| %s | %s |", s.name, grouped(get("found")))
		for _, q := range []struct {
			key   string
			limit float64
		}{{"bitmap", mostBitmap}, {"one", mostPage}, {"by start", mostPage}, {"by name", mostPage}} {
			warm, first := get(q.key+" warm"), get(q.key+" first")
			slowest[q.key] = max(slowest[q.key], warm)
			firsts[q.key] = append(firsts[q.key], first)
			if fmt.Fprintf(w, " %.3f (%.2f) |", warm, first); warm >= q.limit {
				missed = append(missed, q.key)
			} else if first >= q.limit {
				missed = append(missed, q.key+" (first)")
			}
		}
		fmt.Fprintf(w, " %s |\n", strings.Join(missed, ", "))
	}
	of := fmt.Sprintf("search among %s resources, the slowest of %d filters: ", grouped(resources), len(searches()))
	note := func(keys ...string) string {
		var all []float64
		for _, key := range keys {
			all = append(all, firsts[key]...)
		}
		slices.Sort(all)
		return fmt.Sprintf("median of 32; for the first time since opening: median %.2f, slowest %.2f ms", all[len(all)/2], all[len(all)-1])
	}
	r.add(of+"to the bitmap and one resource", "ms", slowest["bitmap"], mostBitmap, "%s", note("bitmap"))
	r.add(of+"first 100, sorted", "ms", max(slowest["by start"], slowest["by name"]), mostPage, "%s", note("by start", "by name"))
}
