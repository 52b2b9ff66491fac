package engine

import (
	"encoding/binary"
	"math"
	"time"
)

// Keys of the sample side (the catalogue's are in keys.go). Integers are big-endian, so that keys sort by them.
//
//	0x41 ref(4)                                            series record
//	0x42 width(8) partition(4) ref(4) end(8)               block of raw samples; width: the policy's finest granularity
//	0x43 width(8) partition(4) ref(4) end(8)               block of aggregates of one granularity
//	0x44 width(8) partition(4) ref(4) end(8)               names of the raw samples at the time end: see message_id.go
//
// A partition is span(width) of time; end is the block's last time in nanoseconds since the Unix epoch, so that one seek to the
// beginning of a range finds the first block that reaches into it. A block never reaches over the end of its partition. Time before metric: what is old lies together and leaves together.
const (
	keySeries = 0x41
	keyRaw    = 0x42
	keyAgg    = 0x43
	keyNames  = 0x44
	keyEnd    = 0x45 // after the last kind of the sample side
)

const blockKeyLen = 1 + 8 + 4 + 4 + 8

// maxBlockRows bounds a block; partitions of dense data hold several.
const maxBlockRows = 4096

// span returns the length of a partition for points of this width: long enough that a metric has a good block in it,
// short enough that expiry by partitions does not keep much too long.
func span(width int64) int64 {
	const groups = 2 * maxBlockRows
	if width > math.MaxInt64/groups {
		return math.MaxInt64
	}
	return max(int64(24*time.Hour), width*groups)
}

// blockKey names a block, or with end 0 the place before a metric's blocks in a partition.
type blockKey struct {
	kind      byte
	width     int64
	partition uint32
	ref       Ref
	end       int64
}

func (k blockKey) append(b []byte) []byte {
	b = append(b, k.kind)
	b = binary.BigEndian.AppendUint64(b, uint64(k.width))
	b = binary.BigEndian.AppendUint32(b, k.partition)
	b = binary.BigEndian.AppendUint32(b, uint32(k.ref))
	return binary.BigEndian.AppendUint64(b, uint64(k.end))
}

// corrupt says that the block cannot be read. Where it begins is in the block; what the key tells is the partition.
func (k blockKey) corrupt(err error) *CorruptError {
	return &CorruptError{Key: k.append(nil), From: int64(k.partition) * span(k.width), To: k.end, Err: err}
}

// parseBlockKey reads a key that begins with keyRaw, keyAgg or keyNames.
func parseBlockKey(b []byte) (blockKey, bool) {
	if len(b) != blockKeyLen || b[0] < keyRaw || b[0] >= keyEnd {
		return blockKey{}, false
	}
	return blockKey{
		kind:      b[0],
		width:     int64(binary.BigEndian.Uint64(b[1:])),
		partition: binary.BigEndian.Uint32(b[9:]),
		ref:       Ref(binary.BigEndian.Uint32(b[13:])),
		end:       int64(binary.BigEndian.Uint64(b[17:])),
	}, true
}

func seriesKey(b []byte, ref Ref) []byte {
	return binary.BigEndian.AppendUint32(append(b, keySeries), uint32(ref))
}

func beUint32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// formatNanos writes a time for people.
func formatNanos(t int64) string { return time.Unix(0, t).UTC().Format(time.RFC3339Nano) }
