package rollup

import "math"

// Counters. A cumulative counter (CPU time used, bytes sent) is read now and then, by whoever: what matters is the time of a reading
// and its value. The increase of a counter belongs to an interval, from one reading to the next one in order of time:
//
//	after >= before          after - before
//	before/2 <= after < before   after - before, which is negative: a correction
//	after < before/2         after, but not less than 0: a reset. The counter began at 0 again within the interval
//	one of them is not finite    the interval says nothing: no increase, no time
//
// The interval counts in the group of its later reading, wholly. So a group covers the time from the last reading before it, however
// long ago, to its own last one; CounterIncrease is the sum of its intervals' increases, or 0 if that is negative, and CounterRate the
// same divided by the seconds that the intervals cover. A group whose intervals cover no time has no point: the one of the
// first reading ever, if that is alone.
//
// Why so. Two readings are all that an increase depends on: a reading that comes late splits one interval in two and changes nothing
// else, and between any two readings the increases add up to the difference of the two plus what resets swallowed, whichever agents read
// the counter and however often they were restarted.
//
// A small decrease is no reset: two agents' clocks differ, so the reading with the later time may be the older one. Taking it for a
// reset would add the whole counter, days of CPU time, to one group. It is subtracted instead, and the next reading gives it
// back. A reset that leaves a counter at half or more is taken for such a correction, and loses what one interval
// brought: it has to bring as much as all time before, so it is of a counter that was young. What is lost is small, what a false reset
// invents is not. Nothing is known of a reading from before a reset whose time lies after one from behind it: that adds the counter's
// past once, and takes more than one agent, clocks that differ by more than the reset lasted, and two readings just then.
//
// A counter that wraps around at 2^32 or 2^64 is a reset: what it lacked to the end is lost, at most what one interval brought.
// Adding it would invent up to 2^32 whenever a counter is reset above 2^31. Nor is anything known of counters beyond 2^53, where a
// float64 no longer holds every integer: differences are exact of what is stored, so errors of storing do not add up.

// Increase returns what a counter has gone up by from one reading to the next, and whether the two say so: not if one of them is not
// finite. It may be negative, but for rounding never by more than half of before.
func Increase(before, after float64) (increase float64, ok bool) {
	switch {
	case !isFinite(before) || !isFinite(after):
		return 0, false
	case after < before && after < before/2:
		return max(after, 0), true
	}
	return after - before, true
}

func isFinite(v float64) bool { return math.Abs(v) <= math.MaxFloat64 }

// AppendIncreases appends for each sample of a column the increase of the interval that ends at it, and how many nanoseconds that is
// long: 0 if it says nothing. The sample before the first is prevValue at prevTime; without one, prevTime is the first's own time.
func AppendIncreases(increases []float64, nanos []int64, ts []int64, vs []float64, prevTime int64, prevValue float64) ([]float64, []int64) {
	for i, t := range ts {
		increase, ok := Increase(prevValue, vs[i])
		long := t - prevTime
		if !ok || long <= 0 {
			increase, long = 0, 0
		}
		increases, nanos = append(increases, increase), append(nanos, long)
		prevTime, prevValue = t, vs[i]
	}
	return increases, nanos
}

// AppendCounter is Append for CounterIncrease and CounterRate: of groups of intervals, as AppendIncreases gives them. It is never NaN and
// never negative. Groups whose intervals are of no length yield no point. Other methods get no points.
func (a *Aggregator) AppendCounter(dst []float64, m Method, offs []int32, increases []float64, nanos []int64) (out []float64, present []uint64) {
	n := len(offs) - 1
	present = a.markNone(n)
	if n < 1 || !m.Counter() {
		return dst, present
	}
	from := len(dst)
	for i := range n {
		sum, long := 0.0, int64(0)
		for k := offs[i]; k < offs[i+1]; k++ {
			sum += increases[k]
			long += nanos[k]
		}
		if long == 0 {
			continue
		}
		present[i/64] |= 1 << (i % 64)
		sum = max(sum, 0)
		if m == CounterRate {
			sum /= float64(long) / 1e9
		}
		dst = append(dst, sum)
	}
	if len(dst)-from == n {
		return dst, nil
	}
	return dst, present
}
