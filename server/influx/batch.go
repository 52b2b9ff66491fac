package influx

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// LineError says which line could not be understood.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// TagError says that a line lacks the tag that names the resource.
type TagError struct {
	Line int // from 1
	Tag  string
}

func (e *TagError) Error() string { return fmt.Sprintf("line %d: no tag %s", e.Line, e.Tag) }

// Sample is one number of a line.
type Sample struct {
	Resource string
	Metric   string
	Time     int64 // nanoseconds since the Unix epoch
	Value    float64
}

// Batch is the lines of one request as samples.
type Batch struct {
	Samples []Sample
	Lines   int // that were read
	Texts   int // fields that were left out because they hold text
}

// Options say how lines become samples.
type Options struct {
	Tag  string // whose value is the resource
	Unit int64  // of timestamps, in nanoseconds
	Now  int64  // of lines without one, nanoseconds since the Unix epoch
}

// errBool: Gnocchi has no truths, and a client that believed its were kept would be wrong.
var errBool = fmt.Errorf("truths are not taken: %w", errValue)

// errLong: the database would not take the name.
var errLong = fmt.Errorf("a metric's name would be longer than %d characters", maxName)

const maxName = 255

// maxTime is the first moment, in nanoseconds, that is too late to be stored: the year 2262.
const maxTime = 9_214_646_400_000_000_000

// Read reads the lines of a body, of which empty ones count but say nothing. A metric is called
//
//	measurement.field@tag=value,tag=value
//
// with the tags that are left when the resource's is taken out, and "_" for every "/". The error is a *LineError or a
// *TagError; then the batch means nothing.
func (b *Batch) Read(body []byte, o Options) error {
	*b = Batch{Samples: b.Samples[:0]}
	var l Line
	for n := 1; len(body) > 0; n++ {
		line, rest, _ := bytes.Cut(body, []byte{'\n'})
		body = rest
		if len(line) == 0 {
			continue
		}
		b.Lines++
		if err := l.Parse(line); err != nil {
			return &LineError{n, err}
		}
		if err := b.add(&l, n, o); err != nil {
			return err
		}
	}
	return nil
}

func (b *Batch) add(l *Line, n int, o Options) error {
	at := o.Now
	if l.HasTime {
		if l.Time > math.MaxInt64/o.Unit || l.Time*o.Unit >= maxTime {
			return &LineError{n, errTime}
		}
		at = l.Time * o.Unit
	}
	resource, suffix, ok := split(l.Tags, o.Tag)
	if !ok {
		return &TagError{n, o.Tag}
	}
	for _, f := range l.Fields {
		switch f.Kind {
		case Bool:
			return &LineError{n, errBool}
		case Text:
			b.Texts++
			continue
		}
		// Checked before the name is put together: one long tag and many fields would make much of little.
		if len(l.Measurement)+len(f.Key)+len(suffix) >= maxName*utf8.UTFMax {
			return &LineError{n, errLong}
		}
		name := strings.ReplaceAll(l.Measurement+"."+f.Key+suffix, "/", "_")
		if utf8.RuneCountInString(name) > maxName {
			return &LineError{n, errLong}
		}
		b.Samples = append(b.Samples, Sample{resource, name, at, f.Number})
	}
	return nil
}

// split gives the value of the tag that names the resource, and what the other tags add to the names of metrics.
func split(tags []Tag, key string) (resource, suffix string, ok bool) {
	var b strings.Builder
	for _, t := range tags {
		if t.Key == key {
			resource, ok = t.Value, true
			continue
		}
		sep := byte(',')
		if b.Len() == 0 {
			sep = '@'
		}
		b.WriteByte(sep)
		b.WriteString(t.Key + "=" + t.Value)
	}
	return resource, b.String(), ok
}

// Unit gives the nanoseconds of a unit that the parameter precision names; "" is nanoseconds.
func Unit(precision string) (nanos int64, ok bool) {
	switch precision {
	case "", "n", "ns":
		return 1, true
	case "u", "us", "µ":
		return 1e3, true
	case "ms":
		return 1e6, true
	case "s":
		return 1e9, true
	case "m":
		return 60e9, true
	case "h":
		return 3600e9, true
	}
	return 0, false
}
