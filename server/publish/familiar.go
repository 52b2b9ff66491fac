package publish

import (
	"bytes"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/telemetrydb/tsdb/server/familiar"
	"github.com/telemetrydb/tsdb/server/samples"
	"github.com/valyala/fastjson"
)

// remembered is what the decoder made of texts that come again and again.
type remembered struct {
	identities familiar.Memo[*samples.Sample] // by identity: samples of which times, volumes, message ids and metadata do not count
	metadata   familiar.Memo[*spelled]
}

// spelled is metadata as they came, and what the decoder made of them.
type spelled struct{ text, made []byte }

// part is one of the attributes of a sample that count.
type part int

// The parts that make up an identity are the first.
const (
	partName part = iota
	partType
	partUnit
	partResource
	partUser
	partProject
	partSource
	partVolume
	partTime
	partID
	partMetadata
	parts

	identityParts = partVolume
	noPart        = parts // none that counts
)

// form is a set of the forms that samples may have: each has keys of its own.
type form byte

const (
	messageForm form = 1 << iota
	objectForm
)

func partOf(key []byte) (part, form) {
	switch string(key) {
	case "counter_name":
		return partName, messageForm
	case "counter_type":
		return partType, messageForm
	case "counter_unit":
		return partUnit, messageForm
	case "counter_volume":
		return partVolume, messageForm
	case "message_id":
		return partID, messageForm
	case "name":
		return partName, objectForm
	case "type":
		return partType, objectForm
	case "unit":
		return partUnit, objectForm
	case "volume":
		return partVolume, objectForm
	case "id":
		return partID, objectForm
	case "resource_id":
		return partResource, 0
	case "user_id":
		return partUser, 0
	case "project_id":
		return partProject, 0
	case "source":
		return partSource, 0
	case "timestamp":
		return partTime, 0
	case "resource_metadata":
		return partMetadata, 0
	}
	return noPart, 0
}

// glance looks at the elements of a body, and makes samples of those whose identity and metadata are remembered, without parsing them. All
// others are the decoder's, whose judgement is the only one: whatever is odd about an element, or wrong with it, makes it one of these.
type glance struct {
	in      *intake
	known   []samples.Sample
	unknown []unknown
	single  bool // the body is no list

	texts    [parts][]byte // of the values of an element
	forms    form
	key      []byte // of its identity
	metadata *spelled
	last     *spelled // metadata of the element before
	lastTime []byte   // and its time, as a text
	nanos    int64    // and as it is
}

// unknown is an element for the decoder.
type unknown struct {
	text     []byte
	before   int    // known elements before it
	identity []byte // "": not all of its parts were understood
	metadata []byte // as a text; "": there are none, or they are remembered
}

// maxFamiliar is the longest body that is looked at: one byte a value, there are no more values in it than any body may have.
const maxFamiliar = maxValues

// glance looks at a body. False: it is no list of objects and no object, or may be decoded in no other way than all at once.
func (in *intake) glance(body []byte) (g *glance, ok bool) {
	if in.decoder.secret != "" || in.decoder.arrived || len(body) > maxFamiliar {
		return nil, false
	}
	g = glances.Get().(*glance)
	g.in, g.single = in, bytes.HasPrefix(bytes.TrimLeft(body, " \n\t\r"), []byte{'{'})
	if !familiar.List(body, g.element) {
		g.release()
		return nil, false
	}
	return g, true
}

var glances = sync.Pool{New: func() any { return new(glance) }}

// release gives the glance back, for the next body.
func (g *glance) release() {
	const keep = 1 << 12 // elements
	if cap(g.known)+cap(g.unknown) > keep {
		return
	}
	clear(g.known)
	clear(g.unknown)
	*g = glance{known: g.known[:0], unknown: g.unknown[:0], key: g.key[:0]}
	glances.Put(g)
}

// element looks at the element at the beginning of a text and gives its length.
func (g *glance) element(rest []byte) int {
	if len(rest) == 0 || rest[0] != '{' {
		return 0
	}
	g.texts, g.forms, g.metadata = [parts][]byte{}, 0, nil
	n := familiar.Object(rest, g.value)
	if n == 0 {
		if n = familiar.Value(rest); n > 0 {
			g.unknown = append(g.unknown, unknown{text: rest[:n], before: len(g.known)})
		}
		return n
	}
	g.key = g.key[:0]
	for _, text := range g.texts[:identityParts] {
		g.key = append(append(g.key, text...), ',')
	}
	g.key = append(g.key, byte(g.forms))
	if g.sample() {
		return n
	}
	u := unknown{text: rest[:n], before: len(g.known)}
	if g.forms == messageForm || g.forms == objectForm {
		u.identity = bytes.Clone(g.key)
		if g.metadata == nil {
			u.metadata = g.texts[partMetadata]
		}
	}
	g.unknown = append(g.unknown, u)
	return n
}

// value takes the value of a key at the beginning of a text and gives its length; 0: it may mean more than is understood here.
func (g *glance) value(key, rest []byte) (n int) {
	p, form := partOf(key)
	switch {
	case p == noPart:
		if string(key) == "event_type" {
			return 0
		}
		return familiar.Scalar(rest)
	case g.texts[p] != nil: // of equal keys the last counts
		return 0
	case p == partMetadata && len(rest) > 0 && rest[0] == '{':
		n = g.object(rest)
	default:
		n = familiar.Scalar(rest)
	}
	g.forms |= form
	g.texts[p] = rest[:n:n]
	return n
}

// object takes metadata, which are mostly those of the element before: then even their end is known.
func (g *glance) object(rest []byte) int {
	if g.last != nil && bytes.HasPrefix(rest, g.last.text) {
		g.metadata = g.last
		return len(g.last.text)
	}
	n := familiar.Value(rest)
	if m, ok := g.in.d.remembered.metadata.Get(rest[:n]); ok {
		g.metadata, g.last = m, m
	}
	return n
}

// sample makes a sample of the element, if all that it takes is remembered and nothing is wrong with the rest.
func (g *glance) sample() (ok bool) {
	if g.texts[partName] == nil || g.texts[partVolume] == nil {
		return false
	}
	metadata := g.texts[partMetadata]
	if metadata != nil && g.metadata == nil && string(metadata) != "null" {
		return false
	}
	id, ok := g.in.d.remembered.identities.Get(g.key)
	if !ok {
		return false
	}
	s := *id
	if s.Volume, ok = g.volume(); !ok {
		return false
	}
	if s.Time, ok = g.time(); !ok {
		return false
	}
	if s.MessageID, ok = g.id(); !ok {
		return false
	}
	if g.metadata != nil {
		s.Metadata = g.metadata.made
	}
	s.Arrival = g.in.arrival
	g.known = append(g.known, s)
	return true
}

func (g *glance) volume() (float64, bool) {
	text := g.texts[partVolume]
	if c := text[0]; c != '-' && (c < '0' || c > '9') { // a number in a text is for the decoder
		return 0, false
	}
	v, bad := finite(string(text))
	return v, bad == nil
}

func (g *glance) time() (nanos int64, ok bool) {
	text := g.texts[partTime]
	if text == nil || text[0] != '"' {
		return g.in.arrival, text == nil || string(text) == "null"
	}
	if !bytes.Equal(text, g.lastTime) {
		nanos, bad := isoTime(string(text[1 : len(text)-1]))
		if bad != nil {
			return 0, false
		}
		g.lastTime, g.nanos = text, nanos
	}
	return g.nanos, true
}

func (g *glance) id() (string, bool) {
	text := g.texts[partID]
	if text == nil || text[0] != '"' {
		return "", text == nil || string(text) == "null"
	}
	id := text[1 : len(text)-1]
	if len(id) > maxTextChars || !utf8.Valid(id) {
		return "", false
	}
	if !g.in.d.store.KeepsMessageIDs() { // nobody will look at it
		return "", true
	}
	return string(id), true
}

// rest gives a body of the unknown elements alone, for the parser.
func (g *glance) rest() []byte {
	if g.single {
		return bytes.Clone(g.unknown[0].text)
	}
	size := 2
	for _, u := range g.unknown {
		size += len(u.text) + 1
	}
	b := append(make([]byte, 0, size), '[')
	for i, u := range g.unknown {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, u.text...)
	}
	return append(b, ']')
}

// take takes all elements in their order, the unknown ones as the parser read them.
func (g *glance) take(list []*fastjson.Value) {
	in, done := g.in, 0
	in.samples = slices.Grow(in.samples, len(g.known)+len(list))
	for i, u := range g.unknown {
		in.samples = append(in.samples, g.known[done:u.before]...)
		done = u.before
		n := len(in.samples)
		if in.element(list[i]); len(in.samples) > n {
			in.d.remembered.learn(&u, &in.samples[n])
		}
	}
	in.samples = append(in.samples, g.known[done:]...)
}

// learn remembers what the decoder made of an element.
func (r *remembered) learn(u *unknown, s *samples.Sample) {
	if len(u.identity) == 0 {
		return
	}
	if len(u.metadata) > 0 && u.metadata[0] == '{' {
		if _, ok := r.metadata.Get(u.metadata); !ok { // other elements of the body may have brought them
			m := &spelled{bytes.Clone(u.metadata), bytes.Clone(s.Metadata)}
			r.metadata.Put(m.text, m, len(m.text)+len(m.made))
		}
	}
	if _, ok := r.identities.Get(u.identity); !ok {
		id := *s
		id.Metadata, id.MessageID = nil, ""
		const sampleBytes = 300 // with its texts, beside what they are in the key
		r.identities.Put(u.identity, &id, len(u.identity)+sampleBytes)
	}
}
