package target

import (
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/bench/cost"
	"github.com/telemetrydb/tsdb/bench/dataset"
)

// memory is an engine in memory; it outlives Close, as a directory would.
type memory struct {
	mu     sync.Mutex
	times  map[int][]int64
	values map[int][]float64
	set    *dataset.Set
}

func (m *memory) Open(_ string, set *dataset.Set, _ Options) error {
	m.set = set
	if m.times == nil {
		m.times, m.values = map[int][]int64{}, map[int][]float64{}
	}
	return nil
}

func (m *memory) Append(_ int, samples []dataset.Sample) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range samples {
		i := int(s.Series)
		m.times[i], m.values[i] = append(m.times[i], s.Millis), append(m.values[i], s.Value)
	}
	return nil
}

func (m *memory) Scan(s Selection, from, to int64, emit func([]int64, []float64)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, one := range m.set.Series {
		if s.Key == "" && i != s.Series || s.Key == "group" && one.Group != s.Value {
			continue
		}
		first, _ := slices.BinarySearch(m.times[i], from)
		end, _ := slices.BinarySearch(m.times[i], to+1)
		emit(m.times[i][first:end], m.values[i][first:end])
	}
	return nil
}

func (m *memory) Lookup(_, value string) (n, bytes int, err error) {
	for _, s := range m.set.Series {
		if s.Project == value {
			n, bytes = n+1, bytes+len(s.Metric)+len(s.Resource)+len(s.Project)+len(s.Host)+len(s.Group)
		}
	}
	return n, bytes, nil
}

func (m *memory) Settle() error       { return nil }
func (m *memory) Unit() time.Duration { return time.Millisecond }
func (m *memory) Close() error        { return nil }

func newPhase(t *testing.T, e Target, writers int) *phase {
	t.Helper()
	dir := t.TempDir()
	if err := dataset.Generate(dir, "D1", 100); err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &phase{engine: e, set: set, store: t.TempDir(), batch: 64, reps: 3, options: Options{Writers: writers},
		result: &Result{Numbers: map[string]float64{}, Texts: map[string]string{}}}
}

func TestPhasesOnAnExactEngine(t *testing.T) {
	for _, writers := range []int{1, 2} {
		p := newPhase(t, &memory{}, writers)
		p.span = 50 * time.Millisecond
		for _, run := range []func() error{p.ingest, p.query, p.cold, p.restart, p.verify, p.mixed} {
			if err := run(); err != nil {
				t.Fatal(err)
			}
		}
		n := p.result.Numbers
		if n["samples"] != 7000 || n["inexact_series"] != 0 || n["series"] != 70 {
			t.Errorf("%d writers: %v", writers, n)
		}
		if n["q1_cold_best_us"] <= 0 || n["restart_best_ms"] <= 0 || n["mixed_samples_per_s"] <= 0 || n["q2_p99_us"] < n["q2_median_us"] {
			t.Errorf("%d writers: %v", writers, n)
		}
		if p.result.Texts["q1_sum"] == "0" || p.result.Texts["q5_sum"] == "0" {
			t.Errorf("%d writers: %v", writers, p.result.Texts)
		}
	}
}

func TestVerifySeesOneBit(t *testing.T) {
	m := &memory{}
	p := newPhase(t, m, 1)
	if err := p.ingest(); err != nil {
		t.Fatal(err)
	}
	m.values[3][50] = math.Float64frombits(math.Float64bits(m.values[3][50]) ^ 1)
	m.times[5][7]++
	if err := p.verify(); err != nil {
		t.Fatal(err)
	}
	if got := p.result.Numbers["inexact_series"]; got != 2 {
		t.Errorf("%v inexact series, want 2", got)
	}
}

func TestCrashCheckCountsWhatIsMissing(t *testing.T) {
	m := &memory{}
	p := newPhase(t, m, 1)
	if err := p.ingest(); err != nil { // more than was acknowledged
		t.Fatal(err)
	}
	p.ackPath = filepath.Join(t.TempDir(), "ack")
	if err := os.WriteFile(p.ackPath, binary.LittleEndian.AppendUint64(nil, 3500), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.crashCheck(); err != nil {
		t.Fatal(err)
	}
	if n := p.result.Numbers; n["lost"] != 0 || n["wrong_series"] != 0 || n["acknowledged"] != 3500 {
		t.Errorf("nothing was lost: %v", n)
	}
	m.times[0], m.values[0] = m.times[0][:40], m.values[0][:40] // of 50 acknowledged
	m.values[1][3]++
	if err := p.crashCheck(); err != nil {
		t.Fatal(err)
	}
	if n := p.result.Numbers; n["lost"] != 10 || n["wrong_series"] != 1 {
		t.Errorf("lost %v, wrong %v; want 10 and 1", n["lost"], n["wrong_series"])
	}
}

func TestAnswersAreThoseOfAnExactEngine(t *testing.T) {
	for _, seed := range []int{0, 5} {
		p := newPhase(t, &memory{}, 1)
		p.seed = seed
		for _, run := range []func() error{p.ingest, p.query} {
			if err := run(); err != nil {
				t.Fatal(err)
			}
		}
		answers, err := Answers(p.set, seed)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{"q1", "q2", "q3", "q4", "q5"} {
			if got := strconv.FormatFloat(answers[q], 'g', checkedDecimals, 64); got != p.result.Texts[q+"_sum"] || got == "0" {
				t.Errorf("seed %d, %s: the set gives %s, the engine %s", seed, q, got, p.result.Texts[q+"_sum"])
			}
		}
	}
}

func TestNewest(t *testing.T) {
	p := newPhase(t, &memory{}, 1)
	if err := p.ingest(); err != nil {
		t.Fatal(err)
	}
	want := 0.0
	values := p.engine.(*memory).values[4]
	for _, v := range values[len(values)-30:] {
		want += v
	}
	if n, sum, err := p.newest(4, 30); n != 30 || sum != want || err != nil {
		t.Errorf("%v samples, sum %v, %v; want 30 and %v", n, sum, err, want)
	}
	if n, _, err := p.newest(4, 1e6); n != 100 || err != nil {
		t.Errorf("%v of all samples, %v", n, err)
	}
}

func TestLatencies(t *testing.T) {
	p := &phase{result: &Result{Numbers: map[string]float64{}}}
	took := make([]float64, 1000)
	for i := range took {
		took[i] = float64(1000 - i)
	}
	p.latencies("x", took)
	n, kept := p.result.Numbers, p.result.Latencies["x"]
	if n["x_best_us"] != 1 || n["x_median_us"] != 501 || n["x_p90_us"] != 901 || n["x_p99_us"] != 991 || n["x_asked"] != 1000 {
		t.Errorf("%v", n)
	}
	if len(kept) != LatencyCount || !slices.IsSorted(kept) || kept[0] != 1 || kept[LatencyCount-1] != 1000 {
		t.Errorf("%v", kept)
	}
}

func TestProcessTree(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 1000 & wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}()
	var tree []process
	for deadline := time.Now().Add(10 * time.Second); len(tree) < 2 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		tree = processTree([]int{cmd.Process.Pid})
	}
	if len(tree) != 2 || tree[0].pid != cmd.Process.Pid || tree[1].parent != cmd.Process.Pid || cost.PeakMiB(tree[1].pid) <= 0 {
		t.Errorf("%+v", tree)
	}
	p, ok := parseStat("12 (a (b) c) S 7 0 0 0 0 0 0 0 0 0 100 50 25 25 0")
	if !ok || p.pid != 12 || p.parent != 7 || p.cpu != 2 {
		t.Errorf("%+v", p)
	}
}

func TestFold(t *testing.T) {
	f := newFold(1_000, 700_000, 300_000, 1_000_000) // milliseconds asked, nanoseconds stored
	const milli = 1_000_000
	f.add([]int64{1_000 * milli, 299_999 * milli, 300_000 * milli}, []float64{1, 3, 10})
	f.add([]int64{300_000 * milli}, []float64{20})
	if n, sum := f.result(); n != 2 || sum != 2+15 {
		t.Errorf("%v buckets, sum %v; want 2 and 17", n, sum)
	}
}

func TestPacer(t *testing.T) {
	p := newPacer(2)
	for range driftBatches - 1 {
		p.step(0) // as far ahead as it may be
	}
	var slow atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for batch := driftBatches; batch <= 10*driftBatches; batch++ {
			p.step(0)
			if behind := int64(batch) - slow.Load(); behind >= driftBatches && slow.Load() < 5*driftBatches {
				t.Errorf("after batch %d: %d ahead of the other one", batch, behind)
			}
		}
	}()
	for range 5 * driftBatches {
		slow.Add(1)
		p.step(1)
	}
	p.leave(1) // only that lets the other one go on
	<-done
}
