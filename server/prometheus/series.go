package prometheus

import (
	"strings"
	"unicode/utf8"
)

// timeSeries is one series of the message; decode reuses its memory.
type timeSeries struct {
	resource   Resource
	name       string
	samples    []Sample // their times still in milliseconds
	histograms int
	badText    bool
}

// noLabel stands for a label that is missing; one without a value is the same to Prometheus.
const noLabel = "none"

func (s *timeSeries) decode(message []byte) error {
	*s = timeSeries{resource: Resource{noLabel, noLabel}, samples: s.samples[:0]}
	return eachField(message, func(f *field) error {
		switch f.number {
		case 1:
			if _, err := f.is(1, kindBytes); err != nil {
				return err
			}
			return s.label(f.bytes)
		case 2:
			if _, err := f.is(2, kindBytes); err != nil {
				return err
			}
			return s.sample(f.bytes)
		case 4:
			s.histograms++
		}
		return nil
	})
}

// label takes one label; of those of one name the last counts.
func (s *timeSeries) label(message []byte) error {
	var name, value []byte
	err := eachField(message, func(f *field) error {
		into := &name
		switch f.number {
		case 1:
		case 2:
			into = &value
		default:
			return nil
		}
		if _, err := f.is(f.number, kindBytes); err != nil {
			return err
		}
		*into = f.bytes
		return nil
	})
	if err != nil {
		return err
	}
	s.set(name, value)
	return nil
}

// set takes over a label if it is one that counts.
func (s *timeSeries) set(name, value []byte) {
	switch string(name) {
	case "__name__":
		s.name = s.text(value, "")
	case "job":
		s.resource.Job = s.text(value, noLabel)
	case "instance":
		s.resource.Instance = s.text(value, noLabel)
	}
}

// text copies a label's value.
func (s *timeSeries) text(b []byte, ifEmpty string) string {
	if len(b) == 0 {
		return ifEmpty
	}
	if !utf8.Valid(b) {
		s.badText = true
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(b)
}

func (s *timeSeries) sample(message []byte) error {
	var one Sample
	err := eachField(message, func(f *field) error {
		if yes, err := f.is(1, kindFixed8); yes {
			one.Value = f.double()
		} else if err != nil {
			return err
		}
		if yes, err := f.is(2, kindVarint); yes {
			one.Time = int64(f.value)
		} else if err != nil {
			return err
		}
		return nil
	})
	s.samples = append(s.samples, one)
	return err
}

// check gives the reason why the series cannot be mapped; empty: it can.
func (s *timeSeries) check() string {
	switch {
	case s.badText:
		return ReasonEncoding
	case s.name == "":
		return ReasonName
	case utf8.RuneCountInString(s.name) > maxName || strings.Contains(s.name, "/"):
		return ReasonLongName
	case utf8.RuneCountInString(s.resource.ID()) > maxID || strings.Contains(s.resource.ID(), "/"):
		return ReasonResource
	}
	return ""
}
