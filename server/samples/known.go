package samples

import (
	"bytes"
	"sync"

	"github.com/telemetrydb/tsdb/engine"
)

// known remembers of resources what writing their next samples takes, so that a batch of known meters asks the catalogue for nothing
// but whether its resources are what they were. What it remembers is that of a state of the resource, by the engine's number of it.
type known struct {
	mu        sync.Mutex // guards the resources, too
	resources map[engine.UUID]*knownResource
	bytes     int64
}

// maxKnownBytes bounds, roughly, the memory of known: some 100,000 meters.
const maxKnownBytes = 32 << 20

// knownResource is a resource in a state.
type knownResource struct {
	state         uint64
	typ           string
	user, project *string
	source        string
	described     []byte // metadata that its attributes follow, as they were spelled; nil: not known
	meters        map[string]*knownMeter
	metadata      [][]byte // some spellings, which its meters share
	bytes         int64
}

// knownMeter is a metric of a resource, and the context of its last sample.
type knownMeter struct {
	ref     engine.Ref
	kinds   []kind // that the resource lists
	spelled engine.Context
	context engine.ContextRef // 0: not known
}

// kind is what beside the name makes a meter another one.
type kind struct{ typ, unit string }

func sameText(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// fits tells whether the sample's context is the one that spelled is of.
func (m *knownMeter) fits(x *Sample) bool {
	c := &m.spelled
	return m.context != 0 && c.Unit == x.Unit && c.Type == x.Type && c.Source == x.Source && sameText(c.UserID, x.UserID) &&
		sameText(c.ProjectID, x.ProjectID) && bytes.Equal(c.Metadata, x.Metadata)
}

// lists tells whether the resource lists the sample's type and unit.
func (m *knownMeter) lists(x *Sample) bool {
	for _, k := range m.kinds {
		if k.typ == x.Type && k.unit == x.Unit {
			return true
		}
	}
	return false
}

func keepText(s *string) *string {
	if s == nil {
		return nil
	}
	t := *s
	return &t
}

// keep returns the spelling of metadata as something that outlives the caller's, shared by the meters of the resource.
func (kn *known) keep(k *knownResource, spelled []byte) []byte {
	if len(spelled) == 0 {
		return nil
	}
	for _, m := range k.metadata {
		if bytes.Equal(m, spelled) {
			return m
		}
	}
	const most = 4
	if len(k.metadata) == most {
		k.metadata = append(k.metadata[:0], k.metadata[1:]...)
	}
	k.metadata = append(k.metadata, bytes.Clone(spelled))
	k.bytes += int64(len(spelled))
	kn.bytes += int64(len(spelled))
	return k.metadata[len(k.metadata)-1]
}

// put takes a resource as it is now. What was remembered of its meters' contexts stays.
func (kn *known) put(r *engine.Resource, state uint64, described []byte) {
	k := &knownResource{state: state, typ: r.Type, user: r.UserID, project: r.ProjectID, source: r.Source,
		meters: make(map[string]*knownMeter, len(r.Metrics)), bytes: 600}
	kn.mu.Lock()
	defer kn.mu.Unlock()
	old := kn.resources[r.ID]
	if old != nil {
		k.metadata = old.metadata
		k.described = old.described
		kn.bytes -= old.bytes
	}
	for _, m := range k.metadata {
		k.bytes += int64(len(m))
	}
	for name, m := range r.Metrics {
		k.meters[name] = &knownMeter{ref: m.Ref}
		k.bytes += int64(len(name)) + 250
		if old != nil && old.meters[name] != nil {
			k.meters[name].spelled, k.meters[name].context = old.meters[name].spelled, old.meters[name].context
		}
	}
	for _, m := range r.Meters {
		if have := k.meters[m.Name]; have != nil {
			have.kinds = append(have.kinds, kind{m.Type, m.Unit})
		}
	}
	if kn.resources == nil {
		kn.resources = map[engine.UUID]*knownResource{}
	}
	kn.resources[r.ID] = k
	kn.bytes += k.bytes
	if described != nil {
		k.described = kn.keep(k, described)
		if k.described == nil { // known to be empty
			k.described = []byte{}
		}
	}
	for id, other := range kn.resources { // in no order
		if kn.bytes <= maxKnownBytes {
			break
		}
		if other != k {
			kn.bytes -= other.bytes
			delete(kn.resources, id)
		}
	}
}

// forget forgets a resource.
func (kn *known) forget(id engine.UUID) {
	kn.mu.Lock()
	defer kn.mu.Unlock()
	if k := kn.resources[id]; k != nil {
		kn.bytes -= k.bytes
		delete(kn.resources, id)
	}
}
