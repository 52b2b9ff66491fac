package fuzz

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/fuzz/model"
	"github.com/telemetrydb/tsdb/rollup"
)

// machine is a virtual machine of which it is known how much CPU time it had used at any time.
type machine struct {
	cpus     int64
	used     []int64 // nanoseconds of CPU time used by the end of each second of its life
	restarts []int64 // when it began to run again, its counter at 0; it is off in the 5 seconds before
}

const (
	machineOff = 5e9
	epoch      = 472_222 * 3600e9
)

func newMachine(r *rand.Rand, seconds int) *machine {
	m := &machine{cpus: 1 + r.Int64N(4)}
	for at := 900 + r.IntN(3600); at < seconds; at += 600 + r.IntN(7200) {
		m.restarts = append(m.restarts, int64(at)*1e9)
	}
	busy, sum := int64(0), int64(0)
	for s := range seconds {
		if s%(1+r.IntN(200)) == 0 {
			busy = r.Int64N(m.cpus*1e9 + 1)
			if r.IntN(3) == 0 {
				busy = 0
			}
		}
		if !m.off(int64(s) * 1e9) {
			sum += busy
		}
		m.used = append(m.used, sum)
	}
	return m
}

func (m *machine) off(t int64) bool {
	return slices.ContainsFunc(m.restarts, func(at int64) bool { return t < at && t >= at-machineOff })
}

// usedBy is the CPU time used by a time.
func (m *machine) usedBy(t int64) int64 {
	s := min(t/1e9, int64(len(m.used))-1)
	before := int64(0)
	if s > 0 {
		before = m.used[s-1]
	}
	return before + int64(float64(m.used[s]-before)*float64(t%1e9)/1e9)
}

// counter is what an agent reads at a time.
func (m *machine) counter(t int64) int64 {
	began := int64(0)
	for _, at := range m.restarts {
		if at <= t {
			began = m.usedBy(at)
		}
	}
	return m.usedBy(t) - began
}

// reading is a sample on its way.
type reading struct {
	model.Point
	arrives int64
}

const (
	clockError = 4e8 // nanoseconds that an agent's clock is off at most
	lateAtMost = 500e9
)

// poll returns what an agent sends: its clock is off, it is restarted now and then, and some of its samples arrive late or twice.
func (m *machine) poll(r *rand.Rand, period int64) (out []reading) {
	skew := r.Int64N(2*clockError) - clockError
	for t := r.Int64N(period) + 1e9; t < int64(len(m.used))*1e9; t += period {
		if r.IntN(60) == 0 { // restarted, with its memory lost
			t += r.Int64N(10 * period)
		}
		if t += r.Int64N(2e8); m.off(t) || t >= int64(len(m.used))*1e9 {
			continue
		}
		x := reading{model.Point{Time: epoch + t + skew, Value: float64(m.counter(t))}, t + 1e9}
		if r.IntN(12) == 0 {
			x.arrives += r.Int64N(lateAtMost)
		}
		out = append(out, x)
		if r.IntN(12) == 0 {
			x.arrives += r.Int64N(60e9)
			out = append(out, x)
		}
	}
	return out
}

// history is a metric of a machine's counter, in the engine and in the model.
type history struct {
	*machine
	engine.Metric
	policy engine.ArchivePolicy
	model  *model.Metric
	list   []model.Point // by time, of each instant the last
	mp     model.Policy
	period int64
}

var counterPolicies = []struct {
	keepAll bool
	raw     time.Duration
	window  int
}{{window: 1}, {window: 3, raw: engine.RawForever}, {keepAll: true, raw: engine.RawForever}, {keepAll: true, raw: 48 * time.Hour}}

// TestCounters lets agents poll counters, whose agents' clocks are off, which are restarted, overlap, send late and twice, while the machines are
// restarted and the database is, crashes included. What the engine computes is what the model does at any time, and in the end
// counter:rate is within a bound of the CPU time that was used, and rate:mean is not.
func TestCounters(t *testing.T) {
	seed := newSeed(t)
	for i, c := range counterPolicies {
		for k, period := range []int64{10e9, 60e9, 300e9} {
			t.Run(fmt.Sprintf("%+v every %v", c, time.Duration(period)), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(seed, uint64(i)<<8|uint64(k)))
				h := &harness{t: t, r: r, fs: vfs.NewCrashableMem()}
				h.opts = engine.Options{FS: h.fs, MemoryBytes: 8 << 20}
				h.open()
				defer h.close()
				m := &history{machine: newMachine(r, 3*3600), period: period}
				m.create(h, i)
				m.run(h)
				m.compare(h)
				m.measure(h)
			})
		}
	}
}

func (m *history) create(h *harness, n int) {
	c := counterPolicies[n]
	m.policy = engine.ArchivePolicy{Name: "cpu", BackWindow: c.window, Raw: c.raw, KeepAll: c.keepAll,
		Definition: []engine.Granularity{{Width: time.Minute}, {Width: 5 * time.Minute}},
		Methods:    append(rollup.CounterMethods(), rollup.Mean.OfRate(), rollup.Count)}
	m.mp = model.Policy{BackWindow: c.window, Granularities: []model.Granularity{{Nanos: 60e9}, {Nanos: 300e9}}}
	for _, method := range m.policy.Methods {
		m.mp.Methods = append(m.mp.Methods, method.String())
	}
	m.model = model.New(m.mp)
	err := h.db.Update(context.Background(), func(tx *engine.Tx) (err error) {
		if err = tx.CreateArchivePolicy(m.policy); err == nil {
			m.Metric, err = tx.CreateMetric(engine.Metric{Policy: "cpu"})
		}
		return err
	})
	if err != nil {
		h.fatal("create: %v", err)
	}
}

// run sends everything as it arrives, a batch every half minute of the machine's life.
func (m *history) run(h *harness) {
	sent := append(m.poll(h.r, m.period), m.poll(h.r, m.period)...)
	slices.SortStableFunc(sent, func(a, b reading) int { return cmp.Compare(a.arrives, b.arrives) })
	for at := int64(0); len(sent) > 0; at += 30e9 {
		var b engine.Batch
		var pts []model.Point
		for ; len(sent) > 0 && sent[0].arrives <= at; sent = sent[1:] {
			b.Add(m.Ref, sent[0].Time, sent[0].Value)
			pts = append(pts, sent[0].Point)
		}
		res, err := h.db.Append(context.Background(), &b)
		if err != nil || res.Late != 0 {
			h.fatal("append: %+v %v", res, err)
		}
		m.model.Append(pts)
		for _, p := range pts {
			i, found := slices.BinarySearchFunc(m.list, p.Time, func(x model.Point, t int64) int { return cmp.Compare(x.Time, t) })
			if found {
				m.list[i] = p
			} else {
				m.list = slices.Insert(m.list, i, p)
			}
		}
		switch h.r.IntN(60) {
		case 0:
			h.crash()
		case 1:
			if err := h.db.Close(); err != nil {
				h.fatal("close: %v", err)
			}
			h.open()
		case 2:
			if err := h.db.Compact(context.Background()); err != nil {
				h.fatal("compact: %v", err)
			}
		case 3, 4:
			m.compare(h)
		}
	}
}

func (m *history) points(h *harness) map[time.Duration][]engine.Points {
	v, err := h.db.View(m.Ref)
	if err != nil {
		h.fatal("view: %v", err)
	}
	defer v.Close()
	out := map[time.Duration][]engine.Points{}
	for _, g := range m.policy.Definition {
		if out[g.Width], err = v.Measures(context.Background(), m.Ref, g.Width, m.policy.Methods, 0, math.MaxInt64); err != nil {
			h.fatal("measures: %v", err)
		}
	}
	return out
}

// compare compares every point with the model's, but for rate:mean: where a sample is sent twice, Gnocchi keeps what an earlier state of
// its group gave, and the engine gives no point.
func (m *history) compare(h *harness) {
	mo := m.model
	if m.policy.KeepAll {
		mo = model.New(m.mp)
		mo.Append(m.list)
	}
	for width, got := range m.points(h) {
		for i, method := range m.policy.Methods {
			if method.Rate() {
				continue
			}
			want := mo.Measures(method.String(), int64(width), nil, nil)
			if why := differ(got[i], want); why != "" {
				h.fatal("%v at %v: %s\n got %v %v\nwant %v", method, width, why, got[i].Times, got[i].Values, want)
			}
		}
	}
}

// measure compares what points say with the CPU time that was used. A counter tells the time used between two readings but for their
// clocks' errors, and but for what was used between the last reading before a restart and that.
func (m *history) measure(h *harness) {
	increases, rates, means := 0, 1, 2
	for width, got := range m.points(h) {
		worst, wrong, negative, n := [2]float64{}, 0, 0, 0 // the second of groups with a restart
		for i, start := range got[rates].Times {
			from, to := m.covered(start, int64(width))
			seconds := float64(to-from) / 1e9
			used := float64(m.usedBy(to-epoch) - m.usedBy(from-epoch))
			bound := float64(m.cpus) * 2 * clockError
			lost := m.lost(from, to)
			if lost > 0 {
				bound *= 3 // a small counter may seem to begin again when it has not
			}
			rate := got[rates].Values[i]
			if short := used - rate*seconds; !(short > -bound-1 && short < lost+bound+1) || rate < 0 {
				h.fatal("%v: %v CPU s of %v were used in %v s from %d: counter:rate says %v, bound %v, lost %v", width,
					used/1e9, m.cpus, seconds, from, rate*seconds/1e9, bound/1e9, lost/1e9)
			}
			if got[increases].Times[i] != start || math.Abs(got[increases].Values[i]-rate*seconds) > 1 {
				h.fatal("%v: increase %v at %d, rate %v over %v s", width, got[increases].Values[i], got[increases].Times[i], rate, seconds)
			}
			w := &worst[min(1, int(lost))]
			*w = max(*w, math.Abs(rate-used/seconds)/1e9)
			k, there := slices.BinarySearch(got[means].Times, start)
			if n++; !there {
				wrong++
				continue
			}
			// As it is used: the mean of the differences, divided by the seconds from one poll to the next.
			mean := got[means].Values[k] / (float64(m.period) / 1e9)
			if math.Abs(mean*seconds-used) > 2*(bound+lost) && math.Abs(mean-used/seconds) > 0.05e9*float64(m.cpus) {
				wrong++
			}
			if mean < 0 {
				negative++
			}
		}
		h.t.Logf("%v: %d groups, counter:rate off by at most %.3f of %d CPUs, %.3f where the machine restarted; rate:mean wrong or missing in %d, negative in %d",
			width, n, worst[0], m.cpus, worst[1], wrong, negative)
		if wrong < n/4 {
			h.fatal("%v: rate:mean is wrong in %d groups of %d only", width, wrong, n)
		}
	}
}

// covered returns the times that a group's points are about: from the last sample before it to its own last.
func (m *history) covered(start, width int64) (from, to int64) {
	for i, p := range m.list {
		if p.Time < start && i+1 < len(m.list) {
			from = p.Time
		}
		if p.Time < start+width {
			to = p.Time
		}
	}
	if from == 0 {
		from = m.list[0].Time
	}
	return from, to
}

// lost is the CPU time used between the last sample before a restart and that, of the restarts between two times. A counter that has come
// to half of what it was when it is read again is not seen to have begun again: that loses what it was.
func (m *history) lost(from, to int64) float64 {
	lost := 0.0
	for _, at := range m.restarts {
		if at += epoch; at <= from-clockError || at >= to+clockError {
			continue
		}
		next := slices.IndexFunc(m.list, func(p model.Point) bool { return p.Time > at-machineOff+clockError })
		if next < 1 {
			continue // nothing was read behind it
		}
		last := m.list[next-1]
		lost += float64(m.usedBy(at-epoch)-m.usedBy(last.Time-epoch)) + float64(m.cpus)*2*clockError
		if m.list[next].Value >= last.Value/2 {
			lost += last.Value
		}
	}
	return lost
}
