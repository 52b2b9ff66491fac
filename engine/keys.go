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
	keyIndex        = 0x20 // see index/format.go
	keyPurge        = 0x30 // + metric ordinal: a deleted metric whose samples are still to be removed
)

// After keyMeta.
const (
	metaCounters  = 0x01 // ordinals given so far, numbers of objects
	metaMark      = 'm'  // + name: a mark that a batch left
	metaContexts  = 'x'  // last ordinal given to a context
	metaSampleKey = 'k'  // key that ids of samples are enciphered with
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
