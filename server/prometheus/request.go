package prometheus

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/snappy"
)

// What can be wrong with a body as a whole.
var (
	ErrFormat = errors.New("not a compressed write request") // neither snappy nor the message
	ErrLarge  = errors.New("the write request is too large") // than the limit, decompressed
)

// Resource is what series belong to.
type Resource struct{ Job, Instance string }

// ID is the resource's id as Gnocchi makes it.
func (r Resource) ID() string { return r.Job + "@" + r.Instance }

// Sample is a value at a time.
type Sample struct {
	Time  int64 // nanoseconds since the Unix epoch
	Value float64
}

// Series is the samples of a metric of a resource.
type Series struct {
	Resource Resource
	Metric   string
	Samples  []Sample
}

// Request is a decoded write request.
type Request struct {
	Series  []Series       // each metric of a resource once
	Refused map[string]int // samples that were left out, by reason
	Fault   string         // why the first of these was that the sender is to blame for; empty: none was
}

// Reasons for leaving out samples.
const (
	ReasonName      = "no name"           // no label __name__
	ReasonLongName  = "name"              // longer than 255 characters or with a slash
	ReasonResource  = "resource id"       // job or instance with a slash, or too long
	ReasonTime      = "time"              // before 1970 or after 2261
	ReasonShadowed  = "shadowed"          // another series of the request has the same metric and resource
	ReasonHistogram = "native histogram"  // only plain samples have a place
	ReasonEncoding  = "text is not UTF-8" // in a label
)

// maxTimeMillis is the first moment, in milliseconds, that is too late to be stored: the year 2262.
const maxTimeMillis = 9_214_646_400_000

const (
	maxName    = 255     // characters of a metric's name
	maxID      = 289     // characters of a resource's id
	maxSamples = 1 << 18 // of a request: two bytes can make one
)

// Length is how long a request is when it is decompressed, which Decode will do: ErrFormat, or ErrLarge if that is more than limit.
func Length(body []byte, limit int64) (int64, error) {
	n, err := snappy.DecodedLen(body)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if int64(n) > limit {
		return 0, fmt.Errorf("%w: %d bytes", ErrLarge, n)
	}
	// Snappy makes at most 64 bytes of 3: a longer one is made up.
	if int64(n) > 32*int64(len(body)) {
		return 0, fmt.Errorf("%w: the length is made up", ErrFormat)
	}
	return int64(n), nil
}

// Decode reads a request of at most limit bytes, decompressed. Of series of one metric and resource the last counts, as in
// Gnocchi. Only ErrFormat and ErrLarge are errors.
func (r *Request) Decode(body []byte, limit int64) error {
	*r = Request{Refused: map[string]int{}}
	if _, err := Length(body, limit); err != nil {
		return err
	}
	message, err := snappy.Decode(nil, body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return r.decode(message)
}

// decode reads the message. What is kept of it is copied.
func (r *Request) decode(message []byte) error {
	places := map[place]int{}
	var one timeSeries
	total := 0
	return eachField(message, func(f *field) error {
		if yes, err := f.is(1, kindBytes); !yes {
			return err
		}
		if err := one.decode(f.bytes); err != nil {
			return err
		}
		if total += len(one.samples); total > maxSamples {
			return fmt.Errorf("%w: more than %d samples", ErrLarge, maxSamples)
		}
		r.add(&one, places)
		return nil
	})
}

// place is where samples go.
type place struct {
	resource Resource
	metric   string
}

// add puts a series where it belongs, if it belongs anywhere.
func (r *Request) add(s *timeSeries, places map[place]int) {
	r.refuse(ReasonHistogram, s.histograms, "")
	kept := s.samples[:0]
	for _, sample := range s.samples {
		if sample.Time >= 0 && sample.Time < maxTimeMillis {
			kept = append(kept, Sample{sample.Time * 1e6, sample.Value})
		}
	}
	r.refuse(ReasonTime, len(s.samples)-len(kept), "a sample before 1970 or after 2261")
	if len(kept) == 0 {
		return
	}
	if reason := s.check(); reason != "" {
		r.refuse(reason, len(kept), fmt.Sprintf("series %q of %q: %s", s.name, s.resource.ID(), reason))
		return
	}
	p := place{s.resource, s.name}
	i, again := places[p]
	if !again {
		i = len(r.Series)
		places[p] = i
		r.Series = append(r.Series, Series{Resource: s.resource, Metric: s.name})
	}
	r.refuse(ReasonShadowed, len(r.Series[i].Samples), "")
	r.Series[i].Samples = append([]Sample(nil), kept...)
}

// refuse counts samples that are left out. A detail makes the sender to blame for it.
func (r *Request) refuse(reason string, n int, detail string) {
	if n == 0 {
		return
	}
	r.Refused[reason] += n
	if r.Fault == "" {
		r.Fault = detail
	}
}
