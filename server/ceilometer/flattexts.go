package ceilometer

import "github.com/telemetrydb/tsdb/engine"

// flatTexts keeps the metadata of shared contexts as answers show them: parsing these takes longer than all else that a resource is shown with.
type flatTexts struct {
	kept kept[engine.ContextRef, []byte]
}

// append appends the text of the metadata, which are those of the context; 0: of none that is shared.
func (f *flatTexts) append(dst []byte, ref engine.ContextRef, metadata []byte) []byte {
	if ref == 0 {
		return appendFlat(dst, decodeMetadata(metadata))
	}
	text, ok := f.kept.get(ref)
	if !ok {
		text = appendFlat(nil, decodeMetadata(metadata))
		f.kept.keep(ref, text, cap(text))
	}
	return append(dst, text...)
}
