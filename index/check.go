package index

import "encoding/binary"

// CheckEntry says what is wrong with a key of the index and what is stored under it.
func (ix *Index) CheckEntry(key, val []byte) error {
	if len(key) < 2 || key[0] != ix.prefix {
		return corruptf("key %x is not the index's", key)
	}
	if key[1] == kindSeq {
		if len(key) != 2 || len(val) != 8 {
			return corruptf("sequence number of %d bytes", len(val))
		}
		return nil
	}
	n, err := escapedLen(key[2:])
	if err != nil {
		return err
	}
	rest := key[2+n:]
	if n, err = valueLen(rest); err != nil {
		return err
	}
	switch rest = rest[n:]; {
	case len(rest) == chunkSuffixLen && rest[0] == suffixChunk:
		_, err = decodeChunk(binary.BigEndian.Uint16(rest[1:]), val)
		return err
	case len(rest) == deltaSuffixLen && rest[0] == suffixDelta:
		_, _, err = decodeDelta(nil, nil, val)
		return err
	}
	return corruptf("posting key %x", key)
}
