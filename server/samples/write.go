package samples

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"github.com/telemetrydb/tsdb/engine"
)

// tries bounds how often a write begins again because somebody changed or deleted what it had found.
const tries = 8

// errAgain marks an attempt that found something which was not so any more when it was to be used.
var errAgain = errors.New("samples: resources change too often")

// Write stores samples and returns their ids, in their order, which Ceilometer's API knows them by. When it returns they are durable
// and visible through every door. On an error no sample is stored: a *SampleError says which one is wrong, and with what; others are the
// engine's. A sample that is older than what its metric keeps gets an id, and is not kept.
func (s *Store) Write(ctx context.Context, in []Sample) (ids []string, err error) {
	return s.WriteMarked(ctx, in, "", "")
}

// WriteMarked is Write for who copies samples from elsewhere: it leaves a mark, a text under a name, which is stored with the samples or
// not at all, see engine.Batch.SetMark.
func (s *Store) WriteMarked(ctx context.Context, in []Sample, name, text string) (ids []string, err error) {
	if err := s.check(in); err != nil {
		return nil, err
	}
	return s.tryAgain(ctx, &write{s: s, in: in, markName: name, markText: text})
}

// Add is Write for who has no use for ids, which take a third of its time.
func (s *Store) Add(ctx context.Context, in []Sample) error {
	if err := s.check(in); err != nil {
		return err
	}
	_, err := s.tryAgain(ctx, &write{s: s, in: in, unnamed: true})
	return err
}

// WriteGuarded is Write for somebody who may write what is of one project and no more: samples of a resource that is another project's are
// refused, by a *SampleError, and a resource of no project keeps its owner, its source and its attributes, whatever the samples say.
func (s *Store) WriteGuarded(ctx context.Context, in []Sample) (ids []string, err error) {
	if err := s.check(in); err != nil {
		return nil, err
	}
	return s.tryAgain(ctx, &write{s: s, in: in, guarded: true})
}

// tryAgain tries to write until nobody comes between.
func (s *Store) tryAgain(ctx context.Context, of *write) (ids []string, err error) {
	for range tries {
		w := *of
		if ids, err = w.try(ctx); !errors.Is(err, errAgain) {
			return ids, err
		}
	}
	return nil, err
}

// write is one attempt to write a batch.
type write struct {
	s        *Store
	in       []Sample
	groups   []group
	of       []int32 // of each sample: its group
	refs     []engine.Ref
	contexts []engine.ContextRef
	lacking  []int        // groups whose resources have to be made what the samples say, or looked at
	unknown  []newContext // contexts that are to be asked for

	markName, markText string
	guarded            bool // resources of others keep what they are
	unnamed            bool // nobody wants ids
}

// foreign tells whether a resource of a project is none that the samples of a group may change.
func (w *write) foreign(g *group, project *string) bool {
	return w.guarded && !sameText(project, w.in[g.newest].ProjectID)
}

// group is the samples of one resource.
type group struct {
	id        engine.UUID
	state     uint64 // of the resource, as the engine counts
	newest    int    // its newest sample, of several at one time the last
	describes int    // likewise of those that attributes follow; -1: none
	unknown   []int  // places in write.unknown
}

// newContext is a context that some samples of a group have.
type newContext struct {
	first   int // sample
	samples []int
}

func (w *write) try(ctx context.Context) ([]string, error) {
	if err := w.group(); err != nil {
		return nil, err
	}
	if w.resolve(); len(w.lacking) > 0 {
		if err := w.make(ctx); err != nil {
			return nil, err
		}
		if w.resolve(); len(w.lacking) > 0 {
			return nil, errAgain
		}
	}
	if err := w.intern(ctx); err != nil {
		return nil, err
	}
	return w.append(ctx)
}

// group sorts samples by resources.
func (w *write) group() error {
	n := len(w.in)
	w.of, w.refs, w.contexts = make([]int32, n), make([]engine.Ref, n), make([]engine.ContextRef, n)
	at := map[string]int32{}
	byID := map[engine.UUID]int32{} // which several texts may name
	for i := range w.in {
		x := &w.in[i]
		if i > 0 && x.ResourceID == w.in[i-1].ResourceID {
			w.of[i] = w.of[i-1]
		} else if g, ok := at[x.ResourceID]; ok {
			w.of[i] = g
		} else {
			id := w.s.ResourceUUID(x.ResourceID)
			g, ok := byID[id]
			if !ok {
				g = int32(len(w.groups))
				byID[id] = g
				w.groups = append(w.groups, group{id: id, newest: i})
			}
			at[x.ResourceID], w.of[i] = g, g
		}
		if g := &w.groups[w.of[i]]; x.Time >= w.in[g.newest].Time {
			g.newest = i
		}
	}
	return w.states()
}

// states asks for the states of the resources.
func (w *write) states() (err error) {
	for i := range w.groups {
		g := &w.groups[i]
		if g.state, err = w.s.db.ResourceState(g.id); err != nil {
			return err
		}
	}
	return nil
}

// resolve finds what is known of the samples' metrics and contexts, and which resources are not what the samples say.
func (w *write) resolve() {
	kn := &w.s.known
	kn.mu.Lock()
	defer kn.mu.Unlock()
	w.lacking, w.unknown = w.lacking[:0], w.unknown[:0]
	found := make([]*knownResource, len(w.groups))
	lacks := make([]bool, len(w.groups))
	for i := range w.groups {
		g := &w.groups[i]
		g.describes, g.unknown = -1, g.unknown[:0]
		found[i] = kn.resources[g.id]
		if k := found[i]; k == nil || g.state == 0 || k.state != g.state {
			found[i], lacks[i] = nil, true
		} else if w.foreign(g, k.project) {
			lacks[i] = k.project != nil // and make refuses it
		} else if x := &w.in[g.newest]; !sameText(k.user, x.UserID) || !sameText(k.project, x.ProjectID) || k.source != x.Source {
			lacks[i] = true
		}
	}
	for i := range w.in {
		x, g := &w.in[i], &w.groups[w.of[i]]
		k := found[w.of[i]]
		if typ := meterTypes[x.Meter].typ; typ != "" && (k == nil || k.typ == typ) && (g.describes < 0 || x.Time >= w.in[g.describes].Time) {
			g.describes = i
		}
		if k == nil {
			continue
		}
		m := k.meters[x.Meter]
		if m == nil || !m.lists(x) {
			lacks[w.of[i]] = true
			continue
		}
		w.refs[i] = m.ref
		if m.fits(x) {
			w.contexts[i] = m.context
		} else {
			w.ask(g, i)
		}
	}
	for i := range w.groups {
		g, k := &w.groups[i], found[i]
		if k != nil && g.describes >= 0 && !w.foreign(g, k.project) && (k.described == nil || !bytes.Equal(k.described, w.in[g.describes].Metadata)) {
			lacks[i] = true
		}
		if lacks[i] {
			w.lacking = append(w.lacking, i)
		}
	}
}

// ask notes that the context of a sample is not known.
func (w *write) ask(g *group, i int) {
	x := &w.in[i]
	const most = 32 // to look at: several of one content do no harm
	for k := len(g.unknown) - 1; k >= max(0, len(g.unknown)-most); k-- {
		if u := &w.unknown[g.unknown[k]]; x.sameContext(&w.in[u.first]) {
			u.samples = append(u.samples, i)
			return
		}
	}
	g.unknown = append(g.unknown, len(w.unknown))
	w.unknown = append(w.unknown, newContext{first: i, samples: []int{i}})
}

func (x *Sample) sameContext(y *Sample) bool {
	return x.Unit == y.Unit && x.Type == y.Type && x.Source == y.Source && sameText(x.UserID, y.UserID) &&
		sameText(x.ProjectID, y.ProjectID) && bytes.Equal(x.Metadata, y.Metadata)
}

func (x *Sample) context() engine.Context {
	return engine.Context{UserID: x.UserID, ProjectID: x.ProjectID, Source: x.Source, Unit: x.Unit, Type: x.Type, Metadata: x.Metadata}
}

// intern gets the contexts that are not known, and remembers them.
func (w *write) intern(ctx context.Context) error {
	if len(w.unknown) == 0 {
		return nil
	}
	list := make([]engine.Context, len(w.unknown))
	for i := range w.unknown {
		list[i] = w.in[w.unknown[i].first].context()
	}
	refs, err := w.s.db.InternContexts(ctx, list)
	if err != nil {
		return w.blame(ctx, err)
	}
	kn := &w.s.known
	kn.mu.Lock()
	defer kn.mu.Unlock()
	for i, u := range w.unknown {
		for _, n := range u.samples {
			w.contexts[n] = refs[i]
			w.remember(n)
		}
	}
	return nil
}

// remember remembers the context of a sample as that of its meter. The caller holds known.
func (w *write) remember(i int) {
	x := &w.in[i]
	k := w.s.known.resources[w.groups[w.of[i]].id]
	if k == nil {
		return
	}
	m := k.meters[x.Meter]
	if m == nil || m.ref != w.refs[i] {
		return
	}
	m.context = w.contexts[i]
	m.spelled = engine.Context{UserID: keepText(x.UserID), ProjectID: keepText(x.ProjectID), Source: x.Source, Unit: x.Unit, Type: x.Type,
		Metadata: w.s.known.keep(k, x.Metadata)}
}

// blame finds the sample whose context is at fault.
func (w *write) blame(ctx context.Context, err error) error {
	if !errors.Is(err, engine.ErrInvalid) {
		return err
	}
	for _, u := range w.unknown {
		x := &w.in[u.first]
		_, err := w.s.db.InternContexts(ctx, []engine.Context{x.context()})
		var e *engine.Error
		if errors.As(err, &e) && errors.Is(err, engine.ErrInvalid) {
			return refuse(u.first, "resource_metadata", string(x.Metadata), e.Detail)
		}
	}
	return err
}

// append stores the samples.
func (w *write) append(ctx context.Context) ([]string, error) {
	now := w.s.o.Now().UnixNano()
	b := batches.Get().(*engine.Batch)
	defer func() {
		b.Reset()
		batches.Put(b)
	}()
	b.WantSeqs = !w.unnamed
	b.SetMark(w.markName, w.markText)
	for i := range w.in {
		x := &w.in[i]
		arrival := x.Arrival
		if arrival == 0 {
			arrival = now
		}
		if w.s.o.KeepMessageIDs {
			b.AddNamedSample(w.refs[i], x.Time, x.Volume, w.contexts[i], arrival, x.MessageID)
		} else {
			b.AddSample(w.refs[i], x.Time, x.Volume, w.contexts[i], arrival)
		}
	}
	if _, err := w.s.db.Append(ctx, b); err != nil {
		return nil, w.gone(err)
	}
	if w.unnamed {
		return nil, nil
	}
	return w.ids(b.Seqs)
}

var batches = sync.Pool{New: func() any { return new(engine.Batch) }}

// ids names the samples that are stored.
func (w *write) ids(seqs []uint32) ([]string, error) {
	namer, err := w.s.db.SampleIDs()
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(w.in))
	for i := range ids {
		if ids[i] = w.in[i].MessageID; ids[i] != "" && w.s.o.KeepMessageIDs {
			continue
		}
		ids[i] = namer.Make(w.refs[i], w.in[i].Time, seqs[i]).String()
	}
	return ids, nil
}

// gone makes an error that says that a metric does not exist any more one to begin again at.
func (w *write) gone(err error) error {
	var e *engine.Error
	if !errors.As(err, &e) || !errors.Is(err, engine.ErrNotFound) || e.Kind != engine.KindMetric {
		return err
	}
	for i := range w.groups {
		w.s.known.forget(w.groups[i].id)
	}
	return errAgain
}
