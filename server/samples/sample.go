package samples

// Sample is one measurement as Ceilometer's documents have it.
type Sample struct {
	Meter      string
	Type       string // gauge, delta or cumulative
	Unit       string
	Volume     float64 // finite
	ResourceID string  // free text, often a UUID
	UserID     *string // nil: null
	ProjectID  *string // nil: null
	Source     string
	Time       int64  // nanoseconds since the Unix epoch
	Arrival    int64  // when it arrived (recorded_at), in nanoseconds since the Unix epoch; 0: now
	MessageID  string // as the sender names it; "": not named. Kept only if Options.KeepMessageIDs
	Metadata   []byte // a JSON object with its types; nil: an empty one
}
