// Package workload makes the two reproducible workloads that every figure of a server in this repository was taken with.
//
//   - A, "the seed workload": two virtual machines, a load balancer and a router, 70 metrics at 1 s for 5.5 hours.
//   - B, "a small cloud": 1,000 instances of ten metrics at 300 s for a day.
//
// A Workload is a list of resources with their metrics; Rows walks its ticks in time order and gives the values of one
// resource at a time. All state is integer and every fractional value is one division of two exactly representable integers,
// so the values are the same on every machine, in every language. WriteRows and WriteResources print the JSON lines whose
// SHA-256 the tests pin.
//
// A Workload is not changed by reading it: any number of goroutines may walk it, each with its own Rows.
package workload
