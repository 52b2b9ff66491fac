// Package samples keeps what Ceilometer calls samples: measurements of the meters of resources, with who owns the resource and what it
// was like. Every door that such samples come in by ends here, so that they are the same in the store whichever it was.
//
//	s := samples.New(db, nil)
//	ids, err := s.Write(ctx, []samples.Sample{{Meter: "cpu_util", Type: "gauge", Unit: "%", Volume: 12.5,
//		ResourceID: "vm-1", Source: "openstack", Time: now.UnixNano()}})
//
// A meter of a resource is a metric of that resource, so Gnocchi's API reads what Ceilometer's publishers wrote. A Store may be used
// concurrently. A write is all or nothing as far as samples go; resources and metrics that it made before it failed stay.
package samples
