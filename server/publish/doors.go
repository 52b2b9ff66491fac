package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/body"
	"github.com/telemetrydb/tsdb/server/ingest"
	"github.com/telemetrydb/tsdb/server/limit"
	"github.com/telemetrydb/tsdb/server/samples"
	"github.com/valyala/fastjson"
)

// Options configures New. A nil *Options and every zero field mean the default named beside the field.
type Options struct {
	// Secret is what samples in message form, and with UDP and TCP all samples, have to be signed with: Ceilometer's option
	// telemetry_secret. Default: signatures are not looked at.
	Secret string
	// Source is that of samples that do not say theirs. Default: openstack.
	Source string
	// MaxBodyBytes is the largest body of a request, after decompression. Default 16 MiB.
	MaxBodyBytes int64
	// Budget is the memory that bodies share with other requests. Default: there is no bound.
	Budget *limit.Budget
	// QueueBytes is how much may wait to be stored of what came by UDP and TCP, beside as much that is being stored. Default 64 MiB.
	QueueBytes int
	// Events stores events, or refuses all of them. Default: they are refused.
	Events func(ctx context.Context, events []engine.Event) (stored int, err error)
	// Refused counts what is not stored. Default: nothing does.
	Refused *ingest.Refused
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Logger gets a line when something is refused, of each protocol and reason one in a while. Default: silent.
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	c.Source = cmp.Or(c.Source, "openstack")
	c.MaxBodyBytes = cmp.Or(c.MaxBodyBytes, 16<<20)
	c.QueueBytes = cmp.Or(c.QueueBytes, 64<<20)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Doors are the ways in for samples and events. Its methods may be called concurrently.
type Doors struct {
	store   *samples.Store
	o       Options
	log     *refusalLog
	parsers fastjson.ParserPool

	remembered remembered
}

// New returns doors to a store.
func New(store *samples.Store, o *Options) *Doors {
	c := o.withDefaults()
	return &Doors{store: store, o: c, log: newRefusalLog(c.Logger, c.Now)}
}

// intake gathers what came through one door and is to be stored together. It serves one goroutine.
type intake struct {
	d         *Doors
	protocol  string
	peer      fmt.Stringer // who sends
	decoder   decoder
	arrival   int64 // nanoseconds since the Unix epoch
	samples   []samples.Sample
	events    []engine.Event
	stored    int            // samples and events, of store
	refused   map[string]int // by reason
	last      *Refusal
	gathering bool       // of Messages
	room      *body.Body // memory for samples that are larger than what they came as; nil: without a bound
	full      error      // there is no more of it: nothing is to be stored
}

// gather takes a sample, of which others may share parts that came once, or counts why it is not taken.
func (in *intake) gather(s *samples.Sample, bad *Refusal) {
	const sampleBytes = 256
	bytes := sampleBytes + len(s.Metadata)
	if bad != nil && bad.Reason == reasonMetadata { // they were put together all the same, and will be for the next
		bytes += maxMetadataBytes
	}
	if in.room != nil {
		if in.full = in.room.Grow(int64(bytes)); in.full != nil {
			in.refuse(refuse(reasonLarge, "the samples of a request, with what they share, take too much memory"), 1+len(in.samples))
			return
		}
	}
	if bad != nil {
		in.refuse(bad, 1)
		return
	}
	in.samples = append(in.samples, *s)
}

// intake begins to gather. secret: see decoder.
func (d *Doors) intake(protocol string, peer fmt.Stringer, secret string) *intake {
	return &intake{d: d, protocol: protocol, peer: peer, arrival: d.o.Now().UnixNano(), refused: map[string]int{},
		decoder: decoder{source: d.o.Source, secret: secret}}
}

// reset forgets what was gathered and keeps the memory.
func (in *intake) reset() {
	clear(in.samples)
	in.samples, in.events, in.stored, in.last = in.samples[:0], nil, 0, nil
	in.arrival = in.d.o.Now().UnixNano()
	clear(in.refused)
}

// refuse counts what is not stored, and tells of it.
func (in *intake) refuse(r *Refusal, n int) {
	if n == 0 {
		return
	}
	in.refused[r.Reason] += n
	in.last = r
	in.d.o.Refused.Add(in.protocol, r.Reason, n)
	in.d.log.tell(in.protocol, in.peer, r, n)
}

// element takes a sample or an event.
func (in *intake) element(v *fastjson.Value) {
	if isEvent(v) {
		e, bad := in.decoder.event(v, in.arrival)
		if bad != nil {
			in.refuse(bad, 1)
			return
		}
		in.events = append(in.events, e)
		return
	}
	s, bad := in.decoder.sample(v, in.arrival)
	if bad != nil {
		in.refuse(bad, 1)
		return
	}
	in.samples = append(in.samples, s)
}

// store stores what was gathered. What the store finds wrong by itself is refused; other errors are of the database, and then nothing
// of the samples, or of the events, is stored.
func (in *intake) store(ctx context.Context) error {
	if err := in.storeSamples(ctx, in.samples); err != nil {
		in.fail(err, len(in.samples)+len(in.events))
		return err
	}
	if len(in.events) == 0 {
		return nil
	}
	if in.d.o.Events == nil {
		in.refuse(refuse(reasonShape, "events are not taken"), len(in.events))
		return nil
	}
	if _, err := in.d.o.Events(ctx, in.events); err != nil {
		in.fail(err, len(in.events))
		return err
	}
	in.stored += len(in.events) // those that were known, too
	return nil
}

func (in *intake) fail(err error, n int) {
	in.refuse(refuse(ingest.Reason(err), "%v", err), n)
}

// reasonOf gives the reason for what the store finds wrong with a sample.
func reasonOf(err error) string {
	var wrong *samples.SampleError
	if !errors.As(err, &wrong) {
		return ingest.Reason(err)
	}
	switch wrong.Field {
	case "counter_name":
		return reasonName
	case "counter_type":
		return reasonType
	case "counter_unit":
		return reasonUnit
	case "counter_volume":
		return reasonVolume
	case "resource_id":
		return reasonResource
	case "timestamp", "recorded_at":
		return reasonTime
	case "resource_metadata":
		return reasonMetadata
	case "user_id", "project_id", "source":
		return reasonOwner
	}
	return reasonText
}

// storeSamples stores the samples that the store takes, all of them together or, on an error of the database, none: who sends them again then
// doubles nothing.
func (in *intake) storeSamples(ctx context.Context, list []samples.Sample) error {
	if len(list) == 0 {
		return nil
	}
	err := in.d.store.Add(ctx, list)
	var wrong *samples.SampleError
	if !errors.As(err, &wrong) {
		if err == nil {
			in.stored += len(list)
		}
		return err
	}
	sound := list[:0]
	for i := range list {
		if err := in.d.store.Check(&list[i]); err != nil {
			in.refuse(refuse(reasonOf(err), "%v", err), 1)
			continue
		}
		sound = append(sound, list[i])
	}
	for len(sound) > 0 {
		err := in.d.store.Add(ctx, sound)
		if !errors.As(err, &wrong) {
			if err == nil {
				in.stored += len(sound)
			}
			return err
		}
		in.refuse(refuse(reasonOf(err), "%v", err), 1)
		sound = slices.Delete(sound, wrong.Index, wrong.Index+1)
	}
	return nil
}
