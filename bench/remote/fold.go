package remote

// Fold adds samples up to the mean of each bucket, for servers that cannot do so themselves. The zero value has no width and is of no use.
type Fold struct {
	Width   int64 // in the unit of the times
	buckets map[int64]*bucket
}

type bucket struct{ sum, count float64 }

// Add adds samples.
func (f *Fold) Add(times []int64, values []float64) {
	for i, t := range times {
		f.AddSum(t, values[i], 1)
	}
}

// AddSum adds that many samples of the bucket that t is in, of which the sum is known.
func (f *Fold) AddSum(t int64, sum, count float64) {
	if f.buckets == nil {
		f.buckets = map[int64]*bucket{}
	}
	b := f.buckets[t/f.Width]
	if b == nil {
		b = &bucket{}
		f.buckets[t/f.Width] = b
	}
	b.sum, b.count = b.sum+sum, b.count+count
}

// Means is how many buckets there are and the sum of their means.
func (f *Fold) Means() (n int, sum float64) {
	for _, b := range f.buckets {
		sum += b.sum / b.count
	}
	return len(f.buckets), sum
}
