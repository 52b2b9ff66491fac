package publish

// Event is something that happened.
type Event struct {
	MessageID string
	Type      string
	Generated int64 // nanoseconds since the Unix epoch
	Traits    []Trait
	Raw       []byte // JSON; nil: none
}

// TraitKind says what a trait holds.
type TraitKind uint8

// The kinds of traits.
const (
	TraitNone TraitKind = iota
	TraitText
	TraitInt
	TraitFloat
	TraitTime
)

// Trait is something known of an event.
type Trait struct {
	Name  string
	Kind  TraitKind
	Text  string
	Int   int64
	Float float64
}
