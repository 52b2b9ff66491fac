package publish

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// The reasons why something that came in is not stored, beside those of ingest.Reason. They are labels of counters: few, and fixed.
const (
	reasonFormat    = "format"      // what came is not in the encoding of the protocol
	reasonLarge     = "too large"   // more bytes, or samples, than are taken
	reasonNesting   = "nesting"     // deeper than maxDepth
	reasonShape     = "shape"       // neither a sample nor an event
	reasonText      = "text"        // not UTF-8, or too long
	reasonName      = "meter"       // no name, or one that no metric may have
	reasonType      = "type"        // none of gauge, delta and cumulative
	reasonUnit      = "unit"        // not a text
	reasonVolume    = "volume"      // not a finite number
	reasonResource  = "resource id" // not a text, or none
	reasonOwner     = "owner"       // user, project or source that is no text
	reasonTime      = "time"        // not a time, or not of the years 1970 to 2261
	reasonMetadata  = "metadata"    // not an object, or too large
	reasonSignature = "signature"   // missing or wrong
	reasonTraits    = "traits"      // not a list of name, type and value
	reasonHistogram = "histogram"   // only count and sum have a place
	reasonDropped   = "dropped"     // by the operating system, for want of room in the socket's buffer
	reasonClosed    = "cut short"   // a frame that its connection ended in
)

// Refusal says why something that came in is not stored. It is an error.
type Refusal struct {
	Reason string // one of few and fixed ones
	Detail string // for people; it may quote what came, cut if that is long
}

func (r *Refusal) Error() string { return r.Reason + ": " + r.Detail }

func refuse(reason, format string, args ...any) *Refusal {
	return &Refusal{reason, fmt.Sprintf(format, args...)}
}

// quoted gives a text as part of a detail.
func quoted(text string) string {
	const most = 80
	if len(text) > most {
		return fmt.Sprintf("%.*q...", most, text)
	}
	return fmt.Sprintf("%q", text)
}

// logEvery is the time between two lines on refusals of one protocol and reason.
const logEvery = 10 * time.Second

// refusalLog writes lines on what is refused, of each protocol and reason one in a while, so that a sender gone wrong does not fill
// a disk. It may be used concurrently.
type refusalLog struct {
	logger *slog.Logger
	now    func() time.Time
	mu     sync.Mutex // guards what follows
	seen   map[refusalKey]*refusalCount
}

type refusalKey struct{ protocol, reason string }

type refusalCount struct {
	next time.Time // before it no line is written
	more int       // that no line was written of
}

func newRefusalLog(logger *slog.Logger, now func() time.Time) *refusalLog {
	return &refusalLog{logger: logger, now: now, seen: map[refusalKey]*refusalCount{}}
}

// tell says that n were refused.
func (l *refusalLog) tell(protocol string, peer fmt.Stringer, r *Refusal, n int) {
	l.mu.Lock()
	key, now := refusalKey{protocol, r.Reason}, l.now()
	c := l.seen[key]
	if c == nil {
		c = &refusalCount{}
		l.seen[key] = c
	}
	n += c.more
	if now.Before(c.next) {
		c.more = n
		l.mu.Unlock()
		return
	}
	c.more, c.next = 0, now.Add(logEvery)
	l.mu.Unlock()
	l.logger.Warn("refused", "protocol", protocol, "reason", r.Reason, "last", r.Detail, "count", n, "from", peer.String())
}
