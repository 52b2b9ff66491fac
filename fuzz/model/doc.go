// Package model works out what a metric must answer, the slow and plain way: it is what the engine is compared with. It
// follows Gnocchi's processing of measures step by step and shares no code with what it judges, so it imports neither
// engine nor rollup, and every call costs time in proportion to all that is stored.
//
// A Metric takes batches under a Policy and answers Measures. It serves one goroutine. Times are nanoseconds since the Unix
// epoch, not negative. Nothing returns an error: policies and times are the test's own and must be sound.
//
// Where Gnocchi itself has no firm answer the model picks one:
//
//   - Values that compare equal but differ in bits (0 and -0, NaN payloads): sorting keeps the order given.
//   - Groups are cut by integers. Gnocchi divides floats: samples in the last few hundred nanoseconds of a group, and groups
//     narrower than a second, may be misplaced there, or their batch fails.
//   - A percentile's position is counted inside its group. Gnocchi counts it from the beginning of what it recomputes, which
//     moves the last bits of results.
//   - What retention has hidden is gone for good after the next batch. Gnocchi drops it later, in pieces of 3600 points, so that a
//     policy that grows may bring some of it back. Horizon tells up to where that could be.
//
// What Gnocchi does and one might not expect, and the model does as well:
//
//   - Recomputation begins at the oldest point of the batch even if that point is dropped for being late (but never before the
//     oldest raw point), so a batch of late points alone recomputes everything that raw points reach. Rates over gaps
//     that an earlier batch left out then appear.
//   - Groups are overwritten, never removed: if recomputation gives no point (std of one value, no difference left) the
//     stored one stays.
//   - Raw points are cut at a multiple of the coarsest granularity. A granularity that does not divide it has a group across
//     the cut, and recomputing that group sees only what is left of it: its stored aggregates are overwritten by poorer ones.
//   - After the back window has been raised, late points are taken where the raw points of before are gone: their groups are
//     overwritten by aggregates of the late points alone.
//   - Of the samples of one time in a batch the smallest value wins, any number before NaN; across batches the newer wins.
package model
