package engine

import (
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Raw of the events of one type is compressed against the first of them that was long enough, the prototype: notifications of a type differ
// in their values, not in their names. Of one that has 1.5 kB, zstd alone leaves 850 bytes, and so 280: the UUIDs in it.

const (
	minPrototype = 256      // bytes of raw that are worth comparing with
	maxPrototype = 32 << 10 // of it that are kept
	rawWindow    = 64 << 10

	rawPackerBytes = 800 << 10 // about the memory of a packer: tables, and the prototype in them
	rawOpenerBytes = 24 << 10  // and of what unpacks
)

// rawPacker compresses raw of one type. It may be used concurrently.
type rawPacker struct{ enc *zstd.Encoder }

func newRawPacker(prototype string) (*rawPacker, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(rawWindow), zstd.WithEncoderDictRaw(1, []byte(prototype)))
	return &rawPacker{enc}, err
}

// pack returns how raw is stored, and what of it. A nil packer packs nothing.
func (p *rawPacker) pack(raw []byte) (how byte, packed string) {
	if p != nil {
		if z := p.enc.EncodeAll(raw, nil); len(z) < len(raw) {
			return rawZstd, string(z)
		}
	}
	return rawPlain, string(raw)
}

// newRawOpener returns what unpacks raw of one type; only its DecodeAll is used, which any number of goroutines may call.
func newRawOpener(prototype string) (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxEventRawBytes),
		zstd.WithDecoderDictRaw(1, []byte(prototype)))
}

// packerCache keeps the packers of a few types, those used last.
type packerCache struct {
	most int
	mu   sync.Mutex
	kept []keptPacker // used last first
}

type keptPacker struct {
	typ uint32
	p   *rawPacker
}

// get returns the packer of a type, nil if it is not kept.
func (k *packerCache) get(typ uint32) *rawPacker {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.kept, func(c keptPacker) bool { return c.typ == typ })
	if i < 0 {
		return nil
	}
	found := k.kept[i]
	copy(k.kept[1:i+1], k.kept[:i])
	k.kept[0] = found
	return found.p
}

func (k *packerCache) set(typ uint32, p *rawPacker) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = slices.DeleteFunc(k.kept, func(c keptPacker) bool { return c.typ == typ })
	k.kept = slices.Insert(k.kept, 0, keptPacker{typ, p})
	k.kept = k.kept[:min(len(k.kept), k.most)]
}
