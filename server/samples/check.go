package samples

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/telemetrydb/tsdb/engine"
)

// Samples are taken from MinTime on and before MaxTime, in nanoseconds since the Unix epoch: the years 1970 to 2261.
const (
	MinTime = 0
	MaxTime = 9_214_646_400_000_000_000
)

// The longest texts, in characters.
const (
	maxMeterChars      = 255
	maxResourceIDChars = 289
	maxTextChars       = 1024 // of what says something about a sample
	maxMessageIDChars  = 255
	maxMetadataBytes   = 1 << 20
)

// Nanos returns t in nanoseconds since the Unix epoch, or, if they cannot hold it, a time that Write refuses.
func Nanos(t time.Time) int64 {
	switch y := t.UTC().Year(); {
	case y < 1970:
		return math.MinInt64
	case y > 2261:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// SampleError says why a batch was refused: what is wrong with one of its samples. Nothing of the batch is stored. errors.Is finds
// engine.ErrInvalid in it.
type SampleError struct {
	Index  int    // of the sample in the batch
	Field  string // of Sample, as Ceilometer's messages call it: counter_name, counter_volume, ...
	Value  string // of the field, cut if it is long
	Reason string // for people: what is wrong with the value
}

func (e *SampleError) Error() string {
	return fmt.Sprintf("sample %d: %s %q %s", e.Index, e.Field, e.Value, e.Reason)
}

// Unwrap makes it an engine.ErrInvalid.
func (e *SampleError) Unwrap() error { return engine.ErrInvalid }

func refuse(i int, field, value, reason string) error {
	const most = 100
	if len(value) > most {
		value = strings.ToValidUTF8(value[:most], "") + "..."
	}
	return &SampleError{Index: i, Field: field, Value: value, Reason: reason}
}

// Check says why Write would refuse a sample, by itself: a *SampleError. It does not look into metadata.
func (s *Store) Check(x *Sample) error { return s.check([]Sample{*x}) }

// check refuses samples that break a rule.
func (s *Store) check(in []Sample) error {
	for i := range in {
		x := &in[i]
		if err := checkTexts(i, x, s.o.KeepMessageIDs); err != nil {
			return err
		}
		switch {
		case x.Meter == "":
			return refuse(i, "counter_name", "", "is empty")
		case strings.Contains(x.Meter, "/"):
			return refuse(i, "counter_name", x.Meter, "has a slash")
		case x.Type != "gauge" && x.Type != "delta" && x.Type != "cumulative":
			return refuse(i, "counter_type", x.Type, "is none of gauge, delta and cumulative")
		case math.IsNaN(x.Volume) || math.IsInf(x.Volume, 0):
			return refuse(i, "counter_volume", strconv.FormatFloat(x.Volume, 'g', -1, 64), "is not finite")
		case x.Time < MinTime || x.Time >= MaxTime:
			return refuse(i, "timestamp", timeText(x.Time), "is not of the years 1970 to 2261")
		case x.Arrival < MinTime || x.Arrival >= MaxTime:
			return refuse(i, "recorded_at", timeText(x.Arrival), "is not of the years 1970 to 2261")
		case len(x.Metadata) > maxMetadataBytes:
			return refuse(i, "resource_metadata", string(x.Metadata[:200]), fmt.Sprintf("has %d bytes, the most is %d", len(x.Metadata), maxMetadataBytes))
		}
	}
	return nil
}

func timeText(t int64) string {
	switch t {
	case math.MinInt64:
		return "before 1970"
	case math.MaxInt64:
		return "after 2261"
	}
	return time.Unix(0, t).UTC().Format(time.RFC3339Nano)
}

func checkTexts(i int, x *Sample, messageIDs bool) error {
	fault := textFault(x.Meter, maxMeterChars)
	if fault != "" {
		return refuse(i, "counter_name", x.Meter, fault)
	}
	if fault = textFault(x.ResourceID, maxResourceIDChars); fault != "" {
		return refuse(i, "resource_id", x.ResourceID, fault)
	}
	if fault = textFault(x.Unit, maxTextChars); fault != "" {
		return refuse(i, "counter_unit", x.Unit, fault)
	}
	if fault = textFault(x.Source, maxTextChars); fault != "" {
		return refuse(i, "source", x.Source, fault)
	}
	if x.UserID != nil {
		if fault = textFault(*x.UserID, maxTextChars); fault != "" {
			return refuse(i, "user_id", *x.UserID, fault)
		}
	}
	if x.ProjectID != nil {
		if fault = textFault(*x.ProjectID, maxTextChars); fault != "" {
			return refuse(i, "project_id", *x.ProjectID, fault)
		}
	}
	if messageIDs {
		if fault = textFault(x.MessageID, maxMessageIDChars); fault != "" {
			return refuse(i, "message_id", x.MessageID, fault)
		}
	}
	return nil
}

// textFault says what is wrong with a text of at most so many characters.
func textFault(s string, most int) string {
	for i := 0; ; i++ { // most texts are short and plain
		if i == len(s) && i <= most {
			return ""
		}
		if i > most || s[i] >= utf8.RuneSelf {
			break
		}
	}
	switch {
	case !utf8.ValidString(s):
		return "is not valid UTF-8"
	case utf8.RuneCountInString(s) > most:
		return fmt.Sprintf("is longer than %d characters", most)
	}
	return ""
}
