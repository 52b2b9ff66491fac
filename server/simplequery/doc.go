// Package simplequery reads the query strings of Ceilometer's v2 API: filters in parallel lists of q.field, q.op, q.value and q.type,
// and the other arguments beside them.
//
// An Arguments says what a resource takes; its Parse gives a Query. What each field means, and which operators it has, is up to the
// resource. ParseTime, ParseInt and Truth read values as that API does.
//
//	var args = simplequery.Arguments{Records: simplequery.WithFilters, Scalars: []string{"limit"}}
//	...
//	q, err := args.Parse(r.URL.RawQuery)
//
// Everything is safe for concurrent use; what is returned is the caller's. Every error is an *Error, the client's fault, whose text is
// what the client gets to read.
package simplequery
