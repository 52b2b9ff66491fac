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

// glance looks at the elements of a body, and makes samples of those whose identity and metadata are remembered, without parsing them. All
// others are the decoder's, whose judgement is the only one: whatever is odd about an element, or wrong with it, makes it one of these.
type glance struct {
	in      *intake
	known   []samples.Sample
	unknown []unknown
	single  bool // the body is no list

	texts    [parts + 1][]byte // of the values of an element; the last is of parts that do not count
	length   int               // of what is left of the body where the element begins
	gaps     []gap             // what changes from an element to the next of its identity
	forms    form
	key      []byte // of its identity
	metadata *spelled
	shape    *shape   // of the element before; nil: it was not recognized
	last     *spelled // its metadata
	lastTime []byte   // and its time, as a text
	nanos    int64    // and as it is
	walks    int      // how many elements were not as expected
}

// unknown is an element for the decoder.
type unknown struct {
	text     []byte
	before   int    // known elements before it
	identity []byte // "": not all of its parts were understood
	metadata []byte // as a text; "": there are none, or they are remembered
}

// maxFamiliar is the most values of a body that is looked at, because what is noted of its elements is not counted as memory of the request.
const maxFamiliar = 1 << 18

// glance looks at a body. False: it is no list of objects and no object, or may be decoded in no other way than all at once.
func (in *intake) glance(body []byte) (g *glance, ok bool) {
	if in.decoder.secret != "" || in.decoder.arrived || len(body) > maxFamiliar && valuesIn(body) > maxFamiliar {
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
	*g = glance{known: g.known[:0], unknown: g.unknown[:0], key: g.key[:0], gaps: g.gaps[:0]}
	glances.Put(g)
}

// element looks at the element at the beginning of a text and gives its length.
func (g *glance) element(rest []byte) int {
	if len(rest) == 0 || rest[0] != '{' {
		return 0
	}
	g.texts, g.forms, g.metadata, g.gaps, g.length = [parts + 1][]byte{}, 0, nil, g.gaps[:0], len(rest)
	if n := g.expected(rest); n > 0 {
		return n
	}
	before := g.shape
	g.shape = nil
	g.walks++
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
	if id := g.identity(); id != nil && g.sample(id) {
		g.shape = g.shapeOf(rest[:n], id)
		before.follow(g.shape)
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
		n = familiar.Scalar(rest)
		g.gap(rest, n, noPart)
		return n
	case g.texts[p] != nil: // of equal keys the last counts
		return 0
	case p == partMetadata && len(rest) > 0 && rest[0] == '{':
		n = g.object(rest)
	default:
		n = familiar.Scalar(rest)
	}
	g.forms |= form
	g.texts[p] = rest[:n:n]
	if p >= identityParts && (p != partMetadata || g.metadata != nil) {
		g.gap(rest, n, p)
	}
	return n
}

// gap notes where a value of n bytes is that rest begins with.
func (g *glance) gap(rest []byte, n int, p part) {
	at := g.length - len(rest)
	g.gaps = append(g.gaps, gap{at, at + n, p})
}

// expected tries what follows the element before, and gives the length of the element if that is it.
func (g *glance) expected(rest []byte) int {
	s := g.shape.following()
	if s == nil {
		return 0
	}
	n := s.match(rest, &g.texts)
	if n > 0 {
		if g.metadata = s.metadata; g.sample(s.id) {
			g.shape, g.last = s, s.metadata
			return n
		}
	}
	g.texts, g.metadata = [parts + 1][]byte{}, nil
	return 0
}

// shapeOf gives the shape of an element that was recognized.
func (g *glance) shapeOf(element []byte, id *identity) *shape {
	var texts [parts + 1][]byte
	s := id.shape.Load()
	if s == nil || s.metadata != g.metadata || s.match(element, &texts) != len(element) {
		s = newShape(element, g.gaps, id, g.metadata)
		id.shape.Store(s)
	}
	return s
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

// identity gives what is remembered of the element's identity, if all that a sample takes is; else nil.
func (g *glance) identity() *identity {
	if g.texts[partName] == nil || g.texts[partVolume] == nil {
		return nil
	}
	metadata := g.texts[partMetadata]
	if metadata != nil && g.metadata == nil && string(metadata) != "null" {
		return nil
	}
	id, _ := g.in.d.remembered.identities.Get(g.key)
	return id
}

// sample makes a sample of the element, if nothing is wrong with what may change.
func (g *glance) sample(id *identity) (ok bool) {
	s := id.sample
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
