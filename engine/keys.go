package engine

import "encoding/binary"

// First bytes of the keys of the catalogue in Pebble; those of samples are in blockkey.go. Ordinals in keys are uint32, big-endian.
const (
	keyMeta         = 0x01 // + 1 byte: see metaCounters
	keyPolicy       = 0x02 // + policy ordinal: a policy record
	keyRule         = 0x03 // + name: a rule record
	keyResourceType = 0x04 // + name: a resource type record
	keyResource     = 0x10 // + resource ordinal: a resource record
	keyResourceID   = 0x11 // + UUID: the resource's ordinal
	keyRevision     = 0x14 // + number of a revision: a revision record
	keyMetric       = 0x12 // + metric ordinal: a metric record
	keyMetricID     = 0x13 // + UUID: the metric's ordinal
	keyContext      = 0x15 // + context ordinal: a context record
	keyContextHash  = 0x16 // + 16 bytes of the hash of a context: its ordinal, a record
	keyContextUse   = 0x17 // + context ordinal + metric ordinal: the metric has samples of the context; empty
	keyMessageID    = 0x18 // + 16 bytes of a message id + metric ordinal + time, 8 bytes: the metric has such a sample then; empty
	keyIndex        = 0x20 // see index/format.go
	keyPurge        = 0x30 // + metric ordinal: a deleted metric whose samples are still to be removed

	// Events: see event_key.go. A day is 3 bytes.
	keyEvent       = 0x50 // + day + ordinal: an event record
	keyEventID     = 0x51 // + form of text, 1 byte, + message id: the event's day and ordinal, a record
	keyEventTime   = 0x52 // + day + time in the day, ns, 6 bytes, + ordinal; empty
	keyEventDay    = 0x53 // + day: a record of what a day has
	keyEventUse    = 0x54 // + name of a type + name of a trait + kind, 1 byte, + day: the day has such events; empty
	keyEventName   = 0x55 // + text of a type or a trait's name: its number, a record
	keyEventNameOf = 0x56 // + number: the text, a record
	keyEventRaw    = 0x57 // + number of a type: the JSON that those of its events are compressed against, a record
	keyEventIndex  = 0x58 // see index/format.go; names of fields: see event_index.go
)

// After keyMeta.
const (
	metaCounters  = 0x01 // ordinals given so far, numbers of objects
	metaMark      = 'm'  // + name: a mark that a batch left
	metaContexts  = 'x'  // last ordinal given to a context
	metaSampleKey = 'k'  // key that ids of samples are enciphered with
	metaEvents    = 'v'  // last number given to a name of events
)

func ordinalKey(prefix byte, ord uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{prefix}, ord)
}

func purgeKey(dst []byte, ref Ref) []byte {
	return binary.BigEndian.AppendUint32(append(dst, keyPurge), uint32(ref))
}

func parsePurgeKey(key []byte) (Ref, bool) {
	if len(key) != 5 || key[0] != keyPurge {
		return 0, false
	}
	return Ref(binary.BigEndian.Uint32(key[1:])), true
}

func uuidKey(prefix byte, id UUID) []byte {
	return append([]byte{prefix}, id[:]...)
}
