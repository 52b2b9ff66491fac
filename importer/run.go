package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/samples"
)

// Options configures Run. The zero value keeps duplicates and refuses damaged dumps.
type Options struct {
	// Dedupe drops samples whose message id, time, resource and meter are those of one before: what a message bus delivered again.
	// It takes about 40 bytes of memory a sample.
	Dedupe bool
	// KeepBeforeDamage imports what a damaged dump has before the damage. Without it a damaged dump is refused as a whole.
	KeepBeforeDamage bool
	// Progress is called now and then with what is being done, and how much of it is, in bytes of a dump or documents of a server.
	// total is 0 if it is not known.
	Progress func(what string, done, total int64)
}

// Report says what an import did, resumed ones as well as this one: the counts go on where they were.
type Report struct {
	Identity   string
	Resumed    bool
	Samples    int64            // stored
	Duplicates int64            // dropped by Options.Dedupe
	Events     int64            // new
	Rejected   map[string]int64 // documents that could not be taken, by reason
	Damage     *DamageError     // which ended the reading, if Options.KeepBeforeDamage
}

// progress is what the mark of an import says.
type progress struct {
	Place      string           `json:"place"` // behind the last document that was taken
	Samples    int64            `json:"samples"`
	Described  int64            `json:"described,omitempty"` // how many samples there were when resources were given their owners
	Duplicates int64            `json:"duplicates,omitempty"`
	Rejected   map[string]int64 `json:"rejected,omitempty"`
}

func (p *progress) mark() (string, error) {
	text, err := json.Marshal(p)
	return string(text), err
}

// batchSamples is how many samples are stored at once: enough that a sync costs nothing, and little to read again.
const batchSamples = 2000

// run is an import under way.
type run struct {
	src   Source
	db    *engine.DB
	store *samples.Store
	o     Options
	name  string // of the mark
	progress
	seen map[[2]uint64]struct{} // Options.Dedupe
}

// Run imports what is in a source and not in the database yet. It may be interrupted at any moment, and goes on when it is called
// again with the same source. Errors: *DamageError, and those of the source, the database and the context.
func Run(ctx context.Context, src Source, db *engine.DB, store *samples.Store, o Options) (*Report, error) {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	r := &run{src: src, db: db, store: store, o: o}
	identity, err := src.Identity(ctx)
	if err != nil {
		return nil, err
	}
	report := &Report{Identity: identity}
	err = src.Check(ctx, func(read, total int64) { o.Progress("checking", read, total) })
	if !(errors.As(err, &report.Damage) && o.KeepBeforeDamage) && err != nil {
		return nil, err
	}
	r.name = "import " + identity
	text, resumed, err := db.Mark(r.name)
	if err != nil {
		return nil, err
	}
	if resumed {
		if err := json.Unmarshal([]byte(text), &r.progress); err != nil {
			return nil, fmt.Errorf("the mark of this import, %q: %w", text, err)
		}
	}
	if r.Rejected == nil {
		r.Rejected = map[string]int64{}
	}
	report.Resumed = resumed
	if err := r.meters(ctx); err != nil {
		return nil, err
	}
	if r.Samples > r.Described { // else who wrote since may know better
		if err := r.resources(ctx); err != nil {
			return nil, err
		}
	}
	if report.Events, err = r.events(ctx); err != nil {
		return nil, err
	}
	report.Samples, report.Duplicates, report.Rejected = r.Samples, r.Duplicates, r.Rejected
	return report, nil
}

// meters stores the samples behind the place where the import stands.
func (r *run) meters(ctx context.Context) (err error) {
	if r.o.Dedupe {
		if err := r.remember(ctx); err != nil {
			return err
		}
	}
	c, err := r.src.Open(ctx, meterCollection, r.Place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	var batch []samples.Sample
	for {
		doc, err := c.Next(ctx)
		ended := errors.Is(err, io.EOF) || r.tolerated(err)
		if err != nil && !ended {
			return err
		}
		if !ended {
			if batch, err = r.take(batch, doc); err != nil {
				return err
			}
			r.Place = c.Place()
		}
		if len(batch) >= batchSamples || ended && len(batch) > 0 {
			if err := r.write(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
			read, total := c.Progress()
			r.o.Progress("samples", read, total)
		}
		if ended {
			return nil
		}
	}
}

// tolerated tells whether an error is damage that ends the reading without being an error of the import.
func (r *run) tolerated(err error) bool {
	var damage *DamageError
	return r.o.KeepBeforeDamage && errors.As(err, &damage)
}

// take adds the sample of a document to the batch, unless it is rejected or there already.
func (r *run) take(batch []samples.Sample, doc []byte) ([]samples.Sample, error) {
	var s samples.Sample
	if err := decodeMeter(doc, &s); err != nil {
		reason, ok := rejectOf(err)
		if !ok {
			return batch, err
		}
		r.Rejected[string(reason)]++
		return batch, nil
	}
	if r.o.Dedupe && r.known(&s) {
		r.Duplicates++
		return batch, nil
	}
	return append(batch, s), nil
}

// known tells whether a sample was seen before, and remembers it.
func (r *run) known(s *samples.Sample) bool {
	text := fmt.Appendf(nil, "%s\x00%d\x00%s\x00%s", s.MessageID, s.Time, s.ResourceID, s.Meter)
	key := [2]uint64{xxhash.Sum64(text), xxhash.Sum64(append(text, 1))}
	if _, ok := r.seen[key]; ok {
		return true
	}
	r.seen[key] = struct{}{}
	return false
}

// remember goes through the samples that were imported before, for Options.Dedupe.
func (r *run) remember(ctx context.Context) (err error) {
	r.seen = map[[2]uint64]struct{}{}
	if r.Place == "" {
		return nil
	}
	c, err := r.src.Open(ctx, meterCollection, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for c.Place() != r.Place {
		doc, err := c.Next(ctx)
		if errors.Is(err, io.EOF) || r.tolerated(err) {
			return nil
		}
		if err != nil {
			return err
		}
		var s samples.Sample
		if decodeMeter(doc, &s) == nil {
			r.known(&s)
		}
	}
	return nil
}

// write stores a batch with the place behind it. A sample that the database refuses is left out.
func (r *run) write(ctx context.Context, batch []samples.Sample) error {
	for len(batch) > 0 {
		after := r.progress
		after.Samples += int64(len(batch))
		text, err := after.mark()
		if err != nil {
			return err
		}
		_, err = r.store.WriteMarked(ctx, batch, r.name, text)
		var bad *samples.SampleError
		if errors.As(err, &bad) {
			r.Rejected[string(rejectRefused)+": "+bad.Reason]++
			batch = append(batch[:bad.Index], batch[bad.Index+1:]...)
			continue
		}
		if err == nil {
			r.progress = after
		}
		return err
	}
	return nil
}
