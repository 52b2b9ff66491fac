// Package dataset makes and reads the sample sets that the targets are compared on.
//
//   - D1: 70 series at 1 s for 5.5 hours, 1,386,000 samples.
//   - D2: 10,000 series at 300 s for 7 days, 20,160,000 samples; half of the series come up to two seconds early or late.
//   - A and B: the measures of the two workloads of package workload.
//   - devops: 100 hosts of 20 metrics at 10 s for 2 hours.
//   - D3: real machines, from a PTS1 file (see ReadPTS) that is not part of the repository. FromCSV reads other traces.
//
// NAME:TICKS names the first ticks of a set.
//
// A third of the series of D1 and D2 are integer counters, a third gauges (one decimal, two decimals, full doubles) and a
// third constants and slow steps. A prepared set is a directory of plain files, in which all samples lie in time order as
// fixed rows of 20 bytes: Create writes one, Open reads one. The package uses the standard library and package workload alone, so
// that an adapter which cannot be built as a module can import it too.
//
// A Set may be shared; a Writer and a Reader serve one goroutine.
package dataset
