// Package importer brings what Ceilometer kept in MongoDB into a database: from a dump that mongodump made, or from the server.
//
//	src, err := importer.OpenDump("dump/ceilometer")
//	report, err := importer.Run(ctx, src, store, &importer.Options{})
//
// Documents of the collections meter and event are read in the order they were written in, in batches, each of which is stored with
// the place where it ends: an import that was interrupted goes on from there when it is run again, without losing or doubling a
// sample. Verify reads the source once more and compares it with what is in the database. A document that cannot become a sample is
// counted by its reason; a dump that is damaged ends the import with the place of the damage.
//
// Formats: Ceilometer's collections as its driver wrote them from 2013 on, see meter.go, event.go and resource.go;
// BSON by the MongoDB project's library. Other collections are left alone.
package importer
