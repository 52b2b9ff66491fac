package importer

import "context"

// Source is where documents come from: a dump or a server. It serves one import at a time.
type Source interface {
	// Identity tells this source from others, the same each time it is imported.
	Identity(ctx context.Context) (string, error)
	// Check reads what can be damaged: a *DamageError says where. fn is told how much was read.
	Check(ctx context.Context, fn func(read, total int64)) error
	// Open gives the documents of a collection behind a place, which a cursor gave; "" is the beginning. A collection that there is
	// not has no documents.
	Open(ctx context.Context, collection, after string) (Cursor, error)
	// Close gives up what the source holds.
	Close() error
}

// Cursor goes through the documents of a collection.
type Cursor interface {
	// Next gives the next document, valid until the following call, or io.EOF. *DamageError: it cannot be read.
	Next(ctx context.Context) (doc []byte, err error)
	// Place is where the last document ends, for Source.Open.
	Place() string
	// Progress tells how much was read, and of how much: bytes of a dump, documents of a server. 0: not known.
	Progress() (read, total int64)
	Close() error
}

// The collections of Ceilometer that are read.
const (
	meterCollection    = "meter"
	resourceCollection = "resource"
	eventCollection    = "event"
)
