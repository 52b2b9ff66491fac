package dataset

import (
	"math"
	"math/rand/v2"
)

// shape is one kind of series: begin draws where it starts and returns what draws each next value. The order of draws and of
// floating-point operations is part of the definition of D1 and D2 (on machines where the compiler does not fuse multiply
// and add, such as amd64).
type shape struct {
	metric, class string
	begin         func(r *rand.Rand, stepSeconds float64) func() float64
}

// The thirds: series number k takes one of thirds[k%3], in turn.
var thirds = [3][]shape{
	{ // integer counters with irregular steps
		{"cpu", "counter", cpuTime},
		{"network.incoming.bytes", "counter", burstsOfPackets},
		{"network.outgoing.packets", "counter", smallSteps},
		{"disk.device.write.requests", "counter", mostlyIdle},
	},
	{ // gauges
		{"cpu_util", "gauge1", oneDecimal},
		{"memory.usage", "gauge2", twoDecimals},
		{"disk.device.read.bytes.rate", "double", computedRate},
		{"cpu_util.ratio", "double", ratioOfIntegers},
	},
	{ // constants and slow steps
		{"vcpus", "const", constant},
		{"memory.resident", "slow", rareIntegerSteps},
		{"disk.usage.percent", "slow", rareDecimalSteps},
	},
}

func shapeOf(series int) shape {
	third := thirds[series%3]
	return third[series/3%len(third)]
}

// cpuTime counts nanoseconds under a load that wanders.
func cpuTime(r *rand.Rand, step float64) func() float64 {
	total, load := float64(r.IntN(1e9)), r.Float64()
	return func() float64 {
		load = within(load+0.05*r.NormFloat64(), 0.01, 1)
		total += math.Floor(step * 1e9 * load * (0.9 + 0.2*r.Float64()))
		return total
	}
}

// burstsOfPackets counts bytes of small and large packets; sometimes none come.
func burstsOfPackets(r *rand.Rand, step float64) func() float64 {
	total, rate := float64(r.IntN(1e6)), 5+r.Float64()*200
	return func() float64 {
		if r.IntN(10) == 0 {
			return total
		}
		small, large := r.Float64()*rate*step, 0.0
		if r.IntN(20) == 0 {
			large = r.Float64() * 40 * rate * step
		}
		total += math.Floor(small)*66 + math.Floor(large)*1500 + float64(r.IntN(60))
		return total
	}
}

func smallSteps(r *rand.Rand, step float64) func() float64 {
	total, rate := float64(r.IntN(1e5)), 0.5+r.Float64()*20
	return func() float64 {
		total += math.Floor(r.ExpFloat64() * rate * step)
		return total
	}
}

func mostlyIdle(r *rand.Rand, step float64) func() float64 {
	total := float64(r.IntN(1e5))
	return func() float64 {
		if r.IntN(4) == 0 {
			total += float64(r.IntN(int(40*step) + 2))
		}
		return total
	}
}

func oneDecimal(r *rand.Rand, _ float64) func() float64 {
	x := 100 * r.Float64()
	return func() float64 {
		x = within(x+1.5*r.NormFloat64(), 0, 100)
		return decimals(x, 1)
	}
}

func twoDecimals(r *rand.Rand, _ float64) func() float64 {
	x := 2000 * r.Float64()
	return func() float64 {
		x = within(x+4*r.NormFloat64(), 10, 4096)
		return decimals(x, 2)
	}
}

// computedRate is what a collector gets when it divides a counter's step by a time: a full double.
func computedRate(r *rand.Rand, _ float64) func() float64 {
	load := r.Float64()
	return func() float64 {
		load = within(load+0.05*r.NormFloat64(), 0.01, 1)
		return load * 1e6 * (0.9 + 0.2*r.Float64())
	}
}

// ratioOfIntegers needs a full double too, but its values come again.
func ratioOfIntegers(r *rand.Rand, step float64) func() float64 {
	load := r.Float64()
	return func() float64 {
		load = within(load+0.02*r.NormFloat64(), 0, 1)
		return math.Floor(load*100*step+0.5) / (100 * step) * 100 / 3
	}
}

func constant(r *rand.Rand, _ float64) func() float64 {
	v := []float64{1, 2, 4, 8, 512, 2048, 4096, 20}[r.IntN(8)]
	return func() float64 { return v }
}

func rareIntegerSteps(r *rand.Rand, _ float64) func() float64 {
	x := float64(r.IntN(4096))
	return func() float64 {
		if r.IntN(60) == 0 {
			x = max(0, x+float64(r.IntN(64)-31))
		}
		return x
	}
}

func rareDecimalSteps(r *rand.Rand, _ float64) func() float64 {
	x := float64(r.IntN(100))
	return func() float64 {
		if r.IntN(30) == 0 {
			x = decimals(x+r.Float64()*0.05, 2)
		}
		return x
	}
}

func within(x, lo, hi float64) float64 { return min(hi, max(lo, x)) }

func decimals(x float64, n int) float64 {
	scale := math.Pow(10, float64(n))
	return math.Round(x*scale) / scale
}
