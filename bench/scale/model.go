package scale

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

const (
	policyName = "raw and mean"
	retention  = 30 * 24 * time.Hour
	daySeconds = 24 * 60 * 60
	baseNanos  = 1767225600 * int64(time.Second) // 2026-01-01
	kinds      = 10                              // of metrics: each resource has one of each
)

var kindNames = [kinds]string{"cpu", "cpu_util", "network.incoming.bytes", "network.outgoing.bytes", "disk.read.bytes",
	"disk.write.bytes", "memory", "memory.usage", "disk.iops", "vcpus"}

// mix is the finalizer of splitmix64: all that looks random here is a function of ordinals.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// policy is the mean of each cycle and the raw samples, for as long.
func policy(width time.Duration) engine.ArchivePolicy {
	return engine.ArchivePolicy{Name: policyName, Methods: []rollup.Method{rollup.Mean}, Raw: retention, Definition: []engine.Granularity{
		{Width: width, Points: int64(retention / width), Timespan: retention}}}
}

// instance is the type of all resources.
func instance() engine.ResourceType {
	t := engine.ResourceType{Name: "instance"}
	for _, name := range []string{"host", "flavor_name", "image_ref", "display_name", "availability_zone", "server_group", "os_distro", "architecture"} {
		t.Attributes = append(t.Attributes, engine.Attribute{Name: name, Type: engine.AttributeString, MaxLength: 255})
	}
	return t
}

// resource is the i-th of n: project, user and 8 attributes. A project has 1,000, a host 200, a flavor a twelfth. One that is not alive
// ended an hour after it began; its metrics get no samples, as those would bring it back to life.
func resource(i, n int, alive bool) *engine.Resource {
	h := mix(uint64(i))
	pick := func(name string, bits int, among int) string {
		return fmt.Sprintf("%s-%d", name, h>>bits%uint64(max(among, 1)))
	}
	text := func(s string) index.Value { return index.Value{Kind: index.Bytes, Str: s} }
	project, user, creator := pick("project", 0, n/1000), pick("user", 3, n/100), "ceilometer:service"
	start := time.Unix(baseNanos/int64(time.Second)-int64(h>>7%31536000), int64(i%1000)*int64(time.Millisecond))
	r := &engine.Resource{
		ID: resourceID(i), Type: "instance", Creator: &creator, UserID: &user, ProjectID: &project,
		StartedAt: start, RevisionStart: start,
		Attributes: map[string]index.Value{
			"host":              text(pick("compute", 11, n/200)),
			"flavor_name":       text(pick("m1", 17, 12)),
			"image_ref":         text(pick("image", 23, 200)),
			"display_name":      text(fmt.Sprintf("vm-%d", i)),
			"availability_zone": text(pick("zone", 29, 4)),
			"server_group":      text(pick("group", 31, n/20)),
			"os_distro":         text(pick("os", 37, 8)),
			"architecture":      text(pick("arch", 41, 2)),
		}}
	r.OriginalID = r.ID.String()
	if !alive {
		end := start.Add(time.Hour)
		r.EndedAt = &end
	}
	return r
}

func resourceID(i int) (u engine.UUID) {
	binary.BigEndian.PutUint64(u[:], mix(uint64(i)<<1))
	binary.BigEndian.PutUint64(u[8:], mix(uint64(i)<<1|1))
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80 // version 4
	return u
}

// stream is what metrics bring: a sample in each cycle.
type stream struct {
	metrics int
	width   time.Duration // of a cycle
	trace   [][]float64   // values of a prepared set in place of the model's; nil: none
}

// sample is what metric m brings in a cycle: one of each group of the policy. Resources are polled one after the other over the cycle, every
// other one with a jitter of some milliseconds.
func (s *stream) sample(m, cycle int) (t int64, v float64) {
	r := m / kinds
	t = baseNanos + int64(cycle)*int64(s.width) + int64(r)*int64(s.width-time.Second)/int64(max(s.metrics/kinds, 1))
	t -= t % int64(time.Millisecond)
	if r%2 == 1 {
		t += int64(mix(uint64(r)<<32|uint64(cycle))%20) * int64(time.Millisecond)
	}
	if s.trace != nil {
		return t, s.replayed(m, cycle)
	}
	return t, value(m, uint64(cycle), uint64(s.width/time.Second), mix(uint64(m)<<32|uint64(cycle)))
}

// replayed is a value of the trace: of metric m's series, and when that is over of the next resource's series of the same kind, so that a metric has
// nothing twice.
func (s *stream) replayed(m, cycle int) float64 {
	series := s.trace[m%len(s.trace)]
	for cycle >= len(series) {
		cycle -= len(series)
		m += kinds
		series = s.trace[m%len(s.trace)]
	}
	return series[cycle]
}

func value(m int, cycle, seconds, h uint64) float64 {
	rate := 1000 + mix(uint64(m))%100_000 // a second
	switch m % kinds {
	case 0: // a counter of nanoseconds
		return float64(cycle*seconds*rate*9000 + h%(rate*9000))
	case 1: // a full double
		return 100 * float64(h>>11) / (1 << 53)
	case 2, 3: // counters of bytes
		return float64(cycle*seconds*rate + h%(rate*100))
	case 4, 5: // and of disk blocks
		return float64(cycle*rate+h%rate) * 512
	case 6:
		return float64(uint64(1024) << (rate % 4))
	case 7: // megabytes in use
		return float64(rate%2000 + h%64)
	case 8: // one decimal
		return float64(h%1000) / 10
	default:
		return float64(1 + rate%8)
	}
}
