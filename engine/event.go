package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// Event is something that happened: what kind of thing, when, and what is known of it. It is known by the id of the message that told of
// it. Events have no part in metrics and samples.
type Event struct {
	MessageID string // 1 to 255 characters
	Type      string // 1 to 255 characters
	Generated int64  // nanoseconds since the Unix epoch
	Traits    []Trait
	Raw       []byte // JSON, at most 1 MiB; kept without blanks. nil: none, which {} is too
}

// TraitKind says what a trait holds. The numbers are those of Ceilometer's messages.
type TraitKind uint8

// The kinds of traits.
const (
	TraitNone TraitKind = iota // a name without a value
	TraitText
	TraitInt
	TraitFloat
	TraitTime
)

func (k TraitKind) String() string {
	if k > TraitTime {
		return fmt.Sprintf("TraitKind(%d)", uint8(k))
	}
	return [...]string{"none", "string", "integer", "float", "datetime"}[k]
}

// Trait is something known of an event. An event may have several of one name, of one or several kinds.
type Trait struct {
	Name  string // 1 to 255 characters
	Kind  TraitKind
	Text  string  // of TraitText: at most 64 KiB
	Int   int64   // of TraitInt; of TraitTime: nanoseconds since the Unix epoch
	Float float64 // of TraitFloat: finite
}

const (
	maxEventChars     = 255
	maxEventTraits    = 1024
	maxTraitTextBytes = 64 << 10
	maxEventRawBytes  = 1 << 20
)

// Check says why AppendEvents would refuse the event. ErrInvalid.
func (e *Event) Check() error {
	invalid := func(format string, args ...any) error {
		return &Error{Kind: KindEvent, Name: e.MessageID, Err: ErrInvalid, Detail: fmt.Sprintf(format, args...)}
	}
	if fault := checkText(e.MessageID, 1, maxEventChars); fault != "" {
		return invalid("the message id is %s", fault)
	}
	if fault := checkText(e.Type, 1, maxEventChars); fault != "" {
		return invalid("the event type is %s", fault)
	}
	if len(e.Traits) > maxEventTraits {
		return invalid("%d traits, the most is %d", len(e.Traits), maxEventTraits)
	}
	for i := range e.Traits {
		if fault := e.Traits[i].fault(); fault != "" {
			return invalid("trait %q: %s", e.Traits[i].Name, fault)
		}
	}
	if len(e.Raw) > maxEventRawBytes {
		return invalid("raw has %d bytes, the most is %d", len(e.Raw), maxEventRawBytes)
	}
	if len(e.Raw) > 0 && !json.Valid(e.Raw) {
		return invalid("raw is no JSON")
	}
	return nil
}

func (t *Trait) fault() string {
	if fault := checkText(t.Name, 1, maxEventChars); fault != "" {
		return "the name is " + fault
	}
	switch t.Kind {
	case TraitText:
		if len(t.Text) > maxTraitTextBytes {
			return fmt.Sprintf("%d bytes, the most is %d", len(t.Text), maxTraitTextBytes)
		}
		if fault := checkText(t.Text, 0, 0); fault != "" {
			return fault
		}
	case TraitFloat:
		if math.IsNaN(t.Float) || math.IsInf(t.Float, 0) {
			return "not a finite number"
		}
	case TraitNone, TraitInt, TraitTime:
	default:
		return fmt.Sprintf("kind %d, want %d to %d", t.Kind, TraitNone, TraitTime)
	}
	return ""
}

// compactRaw returns the JSON in the form it is stored in; nil: nothing to store.
func compactRaw(raw []byte) ([]byte, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, err
	}
	if b.String() == "{}" {
		return nil, nil
	}
	return b.Bytes(), nil
}
