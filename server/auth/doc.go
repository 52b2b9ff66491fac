// Package auth tells who sends a request and what they may do.
//
// An Authenticator names the caller of a request: Basic, RemoteUser, None or Keystone. A Policy holds the rules, Gnocchi's
// unless a file overrides them. A Gate has both, and gives the Caller of a request, who is asked
//
//	caller, err := gate.Caller(r)
//	...
//	if !caller.Can(auth.UpdateResource, target) { // 403
//	filter, err := caller.ResourceFilter(auth.ListResource, "generic") // nil: everything
//
// A target is the object that is about to be touched: anything that gives its attributes by name. Rules ask only for
// those that they need.
//
// Gates, policies and authenticators may be used by any number of goroutines; a Caller belongs to its request. What a request
// claims wrongly is ErrUnauthenticated, what cannot be found out now an *UnavailableError, what is not permitted
// ErrForbidden. The package knows nothing of a dialect's way to say so, and stores nothing.
package auth
