package publish

import (
	"bytes"
	"sync/atomic"
	"weak"

	"github.com/telemetrydb/tsdb/server/familiar"
	"github.com/telemetrydb/tsdb/server/samples"
)

// identity is what samples of one meter of one resource have in common.
type identity struct {
	sample samples.Sample        // of which times, volume, message id and metadata do not count
	shape  atomic.Pointer[shape] // of the last of them; nil: not known
}

// shape is an element that was recognized, as a text with gaps: where it is the same again, and scalars are in the gaps, the element is the
// same but for these. Most bodies have the elements that the one before had, in the same order, so that what follows is tried first, and a
// known element costs little more than comparing its bytes.
type shape struct {
	id       *identity
	metadata *spelled // nil: it has none
	pieces   []piece

	// next follows this one. It is weak, as identities that are forgotten would hold one another for ever.
	next atomic.Pointer[weak.Pointer[shape]]
}

// piece is a text and the gap behind it.
type piece struct {
	text []byte
	gap  bool
	part part // that is in the gap
}

// gap is where a value is in an element.
type gap struct {
	from, to int
	part     part
}

// newShape keeps nothing of the element.
func newShape(element []byte, gaps []gap, id *identity, metadata *spelled) *shape {
	s := &shape{id: id, metadata: metadata}
	from := 0
	for _, g := range gaps {
		s.pieces = append(s.pieces, piece{bytes.Clone(element[from:g.from]), g.part != partMetadata, g.part})
		if from = g.to; g.part == partMetadata {
			s.pieces = append(s.pieces, piece{text: metadata.text})
		}
	}
	s.pieces = append(s.pieces, piece{text: bytes.Clone(element[from:])})
	return s
}

// match gives the length of the element at the beginning of a text if it is of this shape, and what is in the gaps; 0: it is not.
func (s *shape) match(rest []byte, texts *[parts + 1][]byte) int {
	at := 0
	for i := range s.pieces {
		p := &s.pieces[i]
		if !bytes.HasPrefix(rest[at:], p.text) {
			return 0
		}
		at += len(p.text)
		if !p.gap {
			continue
		}
		n := familiar.Scalar(rest[at:])
		if n == 0 {
			return 0
		}
		texts[p.part] = rest[at : at+n : at+n]
		at += n
	}
	return at
}

// following gives the shape that the next element probably has; nil: that is not known.
func (s *shape) following() *shape {
	if s == nil {
		return nil
	}
	if next := s.next.Load(); next != nil {
		return next.Value()
	}
	return nil
}

func (s *shape) follow(next *shape) {
	if s != nil && s.following() != next {
		w := weak.Make(next)
		s.next.Store(&w)
	}
}
