// Package rollup turns samples into aggregates with the arithmetic of Gnocchi, exact to the bit, and cumulative counters into rates.
//
// A Method says what is worked out (mean, 95pct, rate:max …). A column of samples is two slices of one length: times in
// nanoseconds since the Unix epoch, strictly ascending and not negative, and values. A group is a run of samples whose times
// share one start: AppendGroups and AppendCalendarGroups cut a column into groups and give the start of each and the index
// of its first sample ("offs", one entry more than there are groups). An Aggregator works out a method for all groups of a
// column at once. Rates are base methods of a column of differences: AppendDiffs makes it. Counters, which Gnocchi does not know, are
// worked out from a column of increases, which AppendIncreases makes: counter.go says exactly what an increase is and which group it
// counts in.
//
// See ExampleAggregator for the whole way from samples to points.
//
// Plain functions and Method's methods may be called from anywhere at any time. An Aggregator holds scratch space and
// serves one goroutine at a time.
//
// Functions named Append… add to the slices given and return them grown; they keep no reference to their arguments. What
// else an Aggregator returns (presence bitmaps, sorted columns) is its own and valid until its next call.
//
// Nothing here returns an error: columns that break the rules above give groups nobody asked for, and offs that do not fit
// their values panic as any index out of range does.
//
// The package defines one thing that is stored: the numbers of the methods (see Method). It does not know policies,
// retention, back windows, missing values of several series, or time zones.
package rollup
