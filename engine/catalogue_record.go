package engine

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"time"
	"unicode/utf8"

	"github.com/telemetrydb/tsdb/index"
)

// Records of the catalogue, version 1. All begin with the version, 1 byte, and end with the CRC-32C of every
// byte before it, uint32 little-endian. In between:
//
//	text      uvarint length, bytes
//	text?     0, or text with its length plus 1
//	uuid      16 bytes
//	time      varint microseconds since the Unix epoch
//	ordinal   uvarint
//
//	counters (keyMeta metaCounters)
//	  uvarint last ordinal given to a policy, a resource, a metric; uvarint number of resources, of metrics;
//	  if there were revisions: uvarint last number given to one; uvarint number of them
//	policy (keyPolicy + ordinal)
//	  text name; uvarint back window; varint raw retention, ns
//	  uvarint n; n times: uvarint width, ns; uvarint points
//	  uvarint n; n times: uvarint method (numbers of package rollup)
//	  if raw blocks are kept longer than the raw retention, or all samples are kept: varint how long, ns, or -1 for ever, or 0 if not
//	  if all samples are kept: 1 byte, 1
//	rule (keyRule + name)
//	  text pattern; text policy's name
//	resource type (keyResourceType + name)
//	  uvarint n; n times: text name; type, 1 byte: 1 string, 2 uuid, 3 number, 4 bool, 5 datetime; required, 1 byte: 0 or 1;
//	    of a string: uvarint least and most characters; of a number: least and most, each 0, or 1 and 8 bytes IEEE 754 LE
//	resource (keyResource + ordinal)
//	  uuid; text original id; text type; text? creator; text? user; text? project
//	  time started; time revision start; 0, or 1 and time ended
//	  uvarint n; n times, names ascending: text name; kind, 1 byte; 1 bool: 1 byte; 2 number: 8 bytes IEEE 754 LE;
//	    3 time: varint ns; 4 bytes: text
//	  uvarint n; n times, names ascending: text name of a metric; uuid; ordinal
//	  if there are meters or a source: text source; uvarint n; n times: text name, text type, text unit of a meter
//	revision (keyRevision + number), a past state of a resource
//	  ordinal of the resource; time it was so until; what a resource has, without its metrics
//	metric (keyMetric + ordinal)
//	  uuid; ordinal of the policy; text? name; text? unit; text? creator; 0, or 1 and uuid of the resource
//
//	context (keyContext + ordinal)
//	  text? user; text? project; text source; text unit; text type; text metadata, JSON
//	mark (keyMeta metaMark + name)
//	  text
//	key of sample ids (keyMeta metaSampleKey)
//	  16 bytes
//	ordinal of a context (keyContextHash + hash), last ordinal given to one (keyMeta metaContexts)
//	  ordinal
//
// Readers answer another version with ErrVersion. testdata/records_v1.golden shows one of each;
// TestRecordsGolden keeps it true.
const recordVersion = 1

// formatError is what does not hold inside a record; who reads the record adds its key.
type formatError string

func (e formatError) Error() string { return string(e) }

func beginRecord(dst []byte) []byte { return append(dst, recordVersion) }

func endRecord(dst []byte, from int) []byte {
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[from:], castagnoli))
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendOptText(dst []byte, s *string) []byte {
	if s == nil {
		return append(dst, 0)
	}
	return append(binary.AppendUvarint(dst, uint64(len(*s))+1), *s...)
}

func appendUvarint32(dst []byte, v uint32) []byte { return binary.AppendUvarint(dst, uint64(v)) }

func appendMicros(dst []byte, t time.Time) []byte {
	return binary.AppendVarint(dst, t.UnixMicro())
}

func appendAttribute(dst []byte, name string, v index.Value) []byte {
	dst = append(appendText(dst, name), byte(v.Kind))
	switch v.Kind {
	case index.Bool:
		b := byte(0)
		if v.Num != 0 {
			b = 1
		}
		return append(dst, b)
	case index.Number:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Num))
	case index.Time:
		return binary.AppendVarint(dst, v.Time)
	}
	return appendText(dst, v.Str)
}

// recordReader takes a record apart. The first fault sticks in err; what is read after it is zero.
type recordReader struct {
	src string // texts share its memory
	err error
}

// openRecord checks version and checksum. It copies the record.
func openRecord(rec []byte) recordReader {
	if len(rec) < 5 {
		return recordReader{err: formatError("record too short")}
	}
	if rec[0] != recordVersion {
		return recordReader{err: ErrVersion}
	}
	body := rec[:len(rec)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(rec[len(body):]) {
		return recordReader{err: formatError("wrong checksum")}
	}
	return recordReader{src: string(body[1:])}
}

func (r *recordReader) fail(what string) {
	if r.err == nil {
		r.err = formatError("record breaks off in " + what)
	}
	r.src = ""
}

// close returns the first fault, or that something is left over.
func (r *recordReader) close() error {
	if r.err == nil && r.src != "" {
		r.err = formatError("record goes on after its end")
	}
	return r.err
}

func (r *recordReader) uvarint(what string) uint64 {
	var v uint64
	for i := 0; i < len(r.src) && i < binary.MaxVarintLen64; i++ {
		c := r.src[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if i == binary.MaxVarintLen64-1 && c > 1 {
				break
			}
			r.src = r.src[i+1:]
			return v
		}
	}
	r.fail(what)
	return 0
}

func (r *recordReader) varint(what string) int64 {
	u := r.uvarint(what)
	return int64(u>>1) ^ -int64(u&1)
}

// count reads a number of elements of at least size bytes each.
func (r *recordReader) count(size int, what string) int {
	n := r.uvarint(what)
	if n > uint64(len(r.src)/size) {
		r.fail(what)
		return 0
	}
	return int(n)
}

func (r *recordReader) ordinal(what string) uint32 {
	n := r.uvarint(what)
	if n > math.MaxUint32 {
		r.fail(what)
		return 0
	}
	return uint32(n)
}

func (r *recordReader) bytes(n uint64, what string) string {
	if n > uint64(len(r.src)) {
		r.fail(what)
		return ""
	}
	s := r.src[:n]
	r.src = r.src[n:]
	return s
}

func (r *recordReader) text(what string) string { return r.bytes(r.uvarint(what), what) }

// optText reads a text into room and returns room, or nil if there is none.
func (r *recordReader) optText(room *string, what string) *string {
	n := r.uvarint(what)
	if n == 0 {
		return nil
	}
	*room = r.bytes(n-1, what)
	return room
}

func (r *recordReader) byte(what string) byte {
	s := r.bytes(1, what)
	if s == "" {
		return 0
	}
	return s[0]
}

func (r *recordReader) uuid(what string) (id UUID) {
	copy(id[:], r.bytes(16, what))
	return id
}

func (r *recordReader) micros(what string) time.Time {
	return time.UnixMicro(r.varint(what)).UTC()
}

func (r *recordReader) attribute() (name string, v index.Value) {
	name = r.text("attribute")
	v.Kind = index.Kind(r.byte("attribute"))
	switch v.Kind {
	case index.Bool:
		v.Num = float64(r.byte("attribute") & 1)
	case index.Number:
		if s := r.bytes(8, "attribute"); s != "" {
			v.Num = math.Float64frombits(binary.LittleEndian.Uint64([]byte(s)))
		}
	case index.Time:
		v.Time = r.varint("attribute")
	case index.Bytes:
		v.Str = r.text("attribute")
	default:
		r.fail("attribute")
	}
	return name, v
}

// corruptRecord wraps what was wrong with the record under the key.
func corruptRecord(key []byte, err error) error {
	return &CorruptError{Key: append([]byte(nil), key...), Err: err}
}

// checkText says what is wrong with a text that has to have least to most characters; most 0: any number.
func checkText(s string, least, most int) string {
	n := utf8.RuneCountInString(s)
	switch {
	case !utf8.ValidString(s):
		return "not valid UTF-8"
	case n < least:
		return "empty"
	case most > 0 && n > most:
		return fmt.Sprintf("longer than %d characters", most)
	}
	return ""
}
