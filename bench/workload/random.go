package workload

// seedSuffix ends the key of every stream: all streams belong to seed 42.
const seedSuffix = "/42"

// random is xorshift64*, seeded by the FNV-1a hash of a stream's key.
type random struct{ state uint64 }

func newRandom(key string) random {
	const offset, prime = 0xCBF29CE484222325, 0x100000001B3
	h := uint64(offset)
	for _, b := range []byte(key + seedSuffix) {
		h = (h ^ uint64(b)) * prime
	}
	if h == 0 {
		h = 1 // xorshift never leaves zero
	}
	return random{h}
}

// below draws an integer from 0 to n-1.
func (r *random) below(n int64) int64 {
	x := r.state
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	r.state = x
	return int64((x * 0x2545F4914F6CDD1D >> 33) % uint64(n))
}
