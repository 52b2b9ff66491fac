package engine

import (
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// rawCoder compresses raw of the events of one type against the first of them that was long enough: notifications of a type differ in
// their values, not in their names. It may be used concurrently.
type rawCoder struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

const (
	minPrototype = 256      // bytes of raw that are worth comparing with
	maxPrototype = 32 << 10 // of it that are kept
	rawWindow    = 64 << 10
	// rawCoderBytes is about the memory of a coder: tables, and the dictionary in them.
	rawCoderBytes = 900 << 10
)

func newRawCoder(prototype string) (*rawCoder, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(rawWindow), zstd.WithEncoderDictRaw(1, []byte(prototype)))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxEventRawBytes),
		zstd.WithDecoderDictRaw(1, []byte(prototype)))
	return &rawCoder{enc, dec}, err
}

// pack returns how raw is stored, and what of it. A nil coder packs nothing.
func (c *rawCoder) pack(raw []byte) (how byte, packed string) {
	if len(raw) == 0 {
		return rawNone, ""
	}
	if c != nil {
		if z := c.enc.EncodeAll(raw, nil); len(z) < len(raw) {
			return rawZstd, string(z)
		}
	}
	return rawPlain, string(raw)
}

func (c *rawCoder) unpack(how byte, packed string) ([]byte, error) {
	switch {
	case how == rawNone:
		return nil, nil
	case how == rawPlain:
		return []byte(packed), nil
	case c == nil:
		return nil, formatError("raw is compressed against nothing")
	}
	raw, err := c.dec.DecodeAll([]byte(packed), nil)
	if err != nil {
		return nil, formatError("raw: " + err.Error())
	}
	return raw, nil
}

// coderCache keeps the coders of a few types, those used last.
type coderCache struct {
	most int // coders
	mu   sync.Mutex
	kept []keptCoder // used last first
}

type keptCoder struct {
	typ uint32
	c   *rawCoder
}

// get returns the coder of a type, nil if it is not kept.
func (k *coderCache) get(typ uint32) *rawCoder {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.kept, func(c keptCoder) bool { return c.typ == typ })
	if i < 0 {
		return nil
	}
	found := k.kept[i]
	copy(k.kept[1:i+1], k.kept[:i])
	k.kept[0] = found
	return found.c
}

func (k *coderCache) set(typ uint32, c *rawCoder) {
	if k.get(typ) != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = slices.Insert(k.kept, 0, keptCoder{typ, c})
	k.kept = k.kept[:min(len(k.kept), k.most)]
}
