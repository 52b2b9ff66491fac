// Package gnocchi answers HTTP requests in the dialect of Gnocchi's v1 API from an engine.DB.
//
// New gives a handler for the whole of the API that is built: the roots, capabilities, status and health, archive policies
// and their rules, resource types, resources with their history and search, metrics, measures, and batches of measures.
// Every other path is a 404, as Gnocchi answers an unknown one.
//
//	h := gnocchi.New(db, nil)
//	err := http.ListenAndServe("127.0.0.1:8041", h)
//
// The handler serves any number of requests at once. A request is a call: the route finds the endpoint, the endpoint
// decodes the body, calls the engine, and gives the answer or an error. Errors travel as values: an *apiError is an answer
// already, any other becomes one in statusOf. Nothing of a request is stored unless all of it is.
//
// Bodies are decoded into pooled buffers. Text from a body that is to be kept is copied; everything else of it is gone when
// the answer has been written.
//
// Who asks and what they may do is up to the gate of Options (package auth). An endpoint asks it by call.may, mayResource or
// mayMetric about one thing, and bounds a list by what call.resourceFilter or metricsScope gives.
package gnocchi
