package engine

import "math/bits"

// sortDigit is how many bits of the refs a pass of sortByRef looks at, at most: its counters should stay in the processor's cache.
const sortDigit = 12

// sortByRef sorts keys by ref, by their digits, which keeps their order otherwise. It uses and returns one of the slices, which are of one length.
func sortByRef(keys, spare []uint64) []uint64 {
	all := uint64(0)
	for _, k := range keys {
		all |= k >> 32
	}
	width := bits.Len64(all)
	passes := (width + sortDigit - 1) / sortDigit
	for pass := range passes {
		shift, end := 32+width*pass/passes, 32+width*(pass+1)/passes
		mask := uint64(1)<<(end-shift) - 1
		var at [1 << sortDigit]uint32
		for _, k := range keys {
			at[k>>shift&mask]++
		}
		sum := uint32(0)
		for i, n := range at[:mask+1] {
			at[i] = sum
			sum += n
		}
		for _, k := range keys {
			p := &at[k>>shift&mask]
			spare[*p] = k
			*p++
		}
		keys, spare = spare, keys
	}
	return keys
}
