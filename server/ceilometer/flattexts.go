package ceilometer

import (
	"sync"

	"github.com/telemetrydb/tsdb/engine"
)

// flatTextsBytes is what flatTexts holds at most.
const flatTextsBytes = 2 << 20

// flatTexts keeps the metadata of shared contexts, which never change, as answers show them: parsing these takes longer than all else that
// a resource is shown with. When it is full it begins anew. It may be used concurrently.
type flatTexts struct {
	mu    sync.Mutex
	of    map[engine.ContextRef][]byte
	bytes int
}

// append appends the text of the metadata, which are those of the context; 0: of none that is shared.
func (f *flatTexts) append(dst []byte, ref engine.ContextRef, metadata []byte) []byte {
	if ref == 0 {
		return appendFlat(dst, decodeMetadata(metadata))
	}
	f.mu.Lock()
	text, ok := f.of[ref]
	f.mu.Unlock()
	if ok {
		return append(dst, text...)
	}
	text = appendFlat(nil, decodeMetadata(metadata))
	f.keep(ref, text)
	return append(dst, text...)
}

func (f *flatTexts) keep(ref engine.ContextRef, text []byte) {
	const slot = 64 // of the map, and the slice
	n := cap(text) + slot
	if n > flatTextsBytes/16 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil || f.bytes+n > flatTextsBytes {
		f.of, f.bytes = map[engine.ContextRef][]byte{}, 0
	}
	if _, ok := f.of[ref]; !ok {
		f.of[ref], f.bytes = text, f.bytes+n
	}
}
