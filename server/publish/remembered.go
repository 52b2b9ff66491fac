package publish

import (
	"bytes"

	"github.com/telemetrydb/tsdb/server/familiar"
	"github.com/telemetrydb/tsdb/server/samples"
)

// remembered is what the decoder made of texts that come again and again.
type remembered struct {
	identities familiar.Memo[*identity]
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
		id := &identity{sample: *s}
		id.sample.Metadata, id.sample.MessageID = nil, ""
		const identityBytes = 800 // with its shape and its texts, beside what they are in the key
		r.identities.Put(u.identity, id, len(u.identity)+identityBytes)
	}
}
