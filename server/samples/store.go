package samples

import (
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/engine"
)

// Options configures New. A nil *Options and every zero field mean the default named beside the field.
type Options struct {
	// Creator is who new resources and metrics have as their creator, and part of the ids of resources that are not named by UUIDs.
	// Default: admin.
	Creator string
	// ArchivePolicy is that of new metrics. It should keep all samples. Default: that of a rule which matches the meter's name, other than
	// the one for all names; else PolicyName or RatePolicyName, which are made when they are needed.
	ArchivePolicy string
	// Keep is how long samples are kept, by their times, in the policies that are made here. Default: for ever.
	Keep time.Duration
	// Source is that of samples which came without, through Gnocchi's API for example. Default: openstack.
	Source string
	// KeepMessageIDs keeps the message ids that senders give: samples are known by them, and one that comes again, of the same meter,
	// resource, time and message id, is stored once. Default: samples are named by the database, which costs nothing.
	KeepMessageIDs bool
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Store writes samples to a database. Its methods may be called concurrently.
type Store struct {
	db    *engine.DB
	o     Options
	known known
}

// New returns a store for db.
func New(db *engine.DB, o *Options) *Store {
	s := &Store{db: db}
	if o != nil {
		s.o = *o
	}
	if s.o.Creator == "" {
		s.o.Creator = "admin"
	}
	if s.o.Source == "" {
		s.o.Source = "openstack"
	}
	if s.o.Now == nil {
		s.o.Now = time.Now
	}
	return s
}

// KeepsMessageIDs tells whether Options.KeepMessageIDs is set.
func (s *Store) KeepsMessageIDs() bool { return s.o.KeepMessageIDs }

// idSpace is the name space of the UUIDs of resources whose ids are other text: Gnocchi's.
var idSpace = engine.UUID{0x0a, 0x7a, 0x15, 0xff, 0xaa, 0x13, 0x4a, 0xc2, 0x89, 0x7c, 0x9b, 0xdf, 0x30, 0xce, 0x17, 0x5b}

// ResourceUUID gives the id under which the store keeps a resource: the UUID itself, or one made of the text, of which slashes count
// as underscores as in Ceilometer's gnocchi publisher, and of the creator.
func (s *Store) ResourceUUID(id string) engine.UUID {
	if u, err := engine.ParseUUID(id); err == nil {
		return u
	}
	return engine.UUIDv5(idSpace, strings.ReplaceAll(id, "/", "_")+"\x00"+s.o.Creator)
}
