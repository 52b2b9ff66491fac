package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// The set devops is hosts that an agent watches: how busy the processor is in ten states, memory, one disk, one network interface.
const (
	devopsHosts  = 100
	devopsTicks  = 720
	devopsMillis = 10_000
	devopsSeed   = 20260106
)

var devopsMetrics = []Series{
	{Metric: "cpu.usage_user", Class: "gauge2"}, {Metric: "cpu.usage_system", Class: "gauge2"}, {Metric: "cpu.usage_idle", Class: "gauge2"},
	{Metric: "cpu.usage_nice", Class: "gauge2"}, {Metric: "cpu.usage_iowait", Class: "gauge2"}, {Metric: "cpu.usage_irq", Class: "gauge2"},
	{Metric: "cpu.usage_softirq", Class: "gauge2"}, {Metric: "cpu.usage_steal", Class: "gauge2"}, {Metric: "cpu.usage_guest", Class: "gauge2"},
	{Metric: "cpu.usage_guest_nice", Class: "gauge2"},
	{Metric: "mem.total", Class: "const"}, {Metric: "mem.used", Class: "slow"}, {Metric: "mem.used_percent", Class: "double"},
	{Metric: "disk.used", Class: "slow"}, {Metric: "disk.reads", Class: "counter"}, {Metric: "disk.write_bytes", Class: "counter"},
	{Metric: "net.bytes_recv", Class: "counter"}, {Metric: "net.bytes_sent", Class: "counter"},
	{Metric: "net.packets_recv", Class: "counter"}, {Metric: "net.packets_sent", Class: "counter"},
}

// devopsHost is one host; tick draws its next values in the order of devopsMetrics.
type devopsHost struct {
	random      *rand.Rand
	load        float64 // 0 to 1, wanders
	memoryBytes float64 // total
	usedBytes   float64
	diskBytes   float64
	counters    [6]float64 // disk.reads, disk.write_bytes, net...
}

func newDevopsHost(n int) *devopsHost {
	r := rand.New(rand.NewPCG(devopsSeed, uint64(n)))
	h := &devopsHost{random: r, load: r.Float64(), memoryBytes: float64(int64(4+4*r.IntN(15)) << 30)}
	h.usedBytes = math.Floor(h.memoryBytes * (0.2 + 0.5*r.Float64()))
	h.diskBytes = float64(r.IntN(400) << 30)
	for i := range h.counters {
		h.counters[i] = float64(r.IntN(1 << 30))
	}
	return h
}

func (h *devopsHost) tick(values []float64) {
	r := h.random
	h.load = within(h.load+0.03*r.NormFloat64(), 0.01, 1)
	rest := 100.0
	for i, part := range []float64{0.7, 0.2, 0, 0, 0.05, 0.01, 0.01, 0.01, 0, 0} {
		values[i] = decimals(100*h.load*part*(0.8+0.2*r.Float64()), 2)
		rest -= values[i]
	}
	values[2] = decimals(rest, 2)
	if r.IntN(3) == 0 {
		h.usedBytes = within(h.usedBytes+float64(4096*(r.IntN(4097)-2048)), 1<<28, h.memoryBytes)
	}
	if r.IntN(5) == 0 {
		h.diskBytes += float64(4096 * r.IntN(64))
	}
	values[10], values[11], values[12], values[13] = h.memoryBytes, h.usedBytes, 100*h.usedBytes/h.memoryBytes, h.diskBytes
	packetsIn, packetsOut := math.Floor(r.ExpFloat64()*h.load*3000), math.Floor(r.ExpFloat64()*h.load*2000)
	for i, more := range []float64{
		float64(r.IntN(1 + int(40*h.load))), 4096 * float64(r.IntN(1+int(200*h.load))),
		packetsIn * float64(60+r.IntN(1200)), packetsOut * float64(60+r.IntN(900)), packetsIn, packetsOut,
	} {
		h.counters[i] += more
		values[14+i] = h.counters[i]
	}
}

func writeDevops(dir, name string, ticks int) error {
	if ticks <= 0 || ticks > devopsTicks {
		ticks = devopsTicks
	}
	hosts := make([]*devopsHost, devopsHosts)
	var series []Series
	for n := range hosts {
		hosts[n] = newDevopsHost(n)
		for _, s := range devopsMetrics {
			s.ID, s.Host, s.Group = uint32(len(series)), fmt.Sprintf("host_%d", n), "b"
			s.Resource, s.Project = s.Host, fmt.Sprintf("project-%d", n%10)
			if n%10 == 3 {
				s.Group = "a"
			}
			series = append(series, s)
		}
	}
	w, err := Create(dir, name, devopsMillis, series)
	if err != nil {
		return err
	}
	values := make([]float64, len(devopsMetrics))
	for tick := range ticks {
		for n, h := range hosts {
			h.tick(values)
			for i, v := range values {
				w.Add(Sample{uint32(n*len(values) + i), startMillis + int64(tick)*devopsMillis, v})
			}
		}
	}
	return w.Close()
}
