package suite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/results"
)

// options are those of a quick run of fakes.
func options(t testing.TB, work string, fakes ...string) Options {
	return Options{
		Targets: fakes, Sets: []string{"A:3"}, Phases: []string{"ingest", "query", "verify"}, Rounds: 1, Writers: []int{1, 2},
		Work: work, Out: filepath.Join(work, "results.jsonl"), Source: "..", Timeout: 20 * time.Second, PartTimeout: time.Minute, KillAt: 0.5,
		targets: link(t, work, fakes...),
	}
}

func run(t *testing.T, ctx context.Context, o Options) ([]results.Record, error) {
	t.Helper()
	var said bytes.Buffer
	o.Progress = &said
	runErr := Run(ctx, o)
	records, err := results.Read(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	if t.Failed() || testing.Verbose() {
		t.Log(said.String())
	}
	if left := descendants(os.Getpid()); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	if exists(filepath.Join(o.Work, "stores")) || exists(filepath.Join(o.Work, "tmp")) {
		t.Error("stores or temporary files are left")
	}
	return records, runErr
}

func missing(records []results.Record, target string) *results.Missing {
	for _, r := range records {
		if r.Missing != nil && r.Missing.Target == target {
			return r.Missing
		}
	}
	return nil
}

func TestEveryPhaseOfAGoodTarget(t *testing.T) {
	o := options(t, t.TempDir(), "good")
	o.Phases = slices.DeleteFunc(PhaseNames(), func(name string) bool { return name == "mixed" }) // takes seconds, and is tested with the targets
	records, err := run(t, context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records[1:] {
		if r.Result == nil {
			t.Fatalf("%+v", r.Missing)
		}
		got = append(got, r.Result.Phase+" "+r.Result.Variant)
		told := r.Result.Texts["version"] == "fake 1.0" || r.Result.Phase != "ingest" && r.Result.Phase != "query"
		if len(r.Result.Wrong) > 0 || !told {
			t.Errorf("%s: wrong %v, version %q", r.Result.Phase, r.Result.Wrong, r.Result.Texts["version"])
		}
	}
	want := []string{"ingest 1", "query ", "cold ", "restart ", "verify ", "ingest 2", "ingest 1s", "ingest fsync", "crash-check "}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if m := records[0].Run.Machine; m["cores"] == "" || m["kernel"] == "" || m["Go"] == "" {
		t.Errorf("machine %v", m)
	}
}

func TestPeersThatFailAreNamedAndOthersGoOn(t *testing.T) {
	o := options(t, t.TempDir(), "closed", "dies", "liar", "nobody", "good")
	o.targets = append(o.targets, Target{Name: "absent", Folder: "no such folder"})
	o.Targets = append(o.Targets, "absent")
	records, err := run(t, context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for target, why := range map[string]string{
		"closed": "cannot be opened: the server said no", "dies": "the disk is full", "absent": "it has no adapter",
	} {
		if m := missing(records, target); m == nil || !strings.Contains(m.Why, why) {
			t.Errorf("%s: %+v, want %q", target, m, why)
		}
	}
	phases := map[string]int{}
	for _, r := range records {
		if r.Result == nil {
			continue
		}
		phases[r.Result.Target]++
		if r.Result.Target == "liar" && r.Result.Phase == "query" && !slices.Equal(r.Result.Wrong, []string{"q1", "q2", "q3", "q4"}) {
			t.Errorf("the liar is wrong in %v", r.Result.Wrong)
		}
		if r.Result.Target == "nobody" && r.Result.Phase == "query" && r.Result.Texts["version"] != "unknown: it does not say" {
			t.Errorf("version %q", r.Result.Texts["version"])
		}
	}
	if phases["good"] != 3 || phases["liar"] != 3 || phases["nobody"] != 3 || len(phases) != 3 {
		t.Errorf("results by target: %v", phases)
	}
	if m := missing(records, "closed"); m != nil && (m.Set != "" || m.Phase != "") {
		t.Errorf("what cannot start is tried once: %+v", m)
	}
}

func TestWhatHangsIsEnded(t *testing.T) {
	o := options(t, t.TempDir(), "server", "good")
	o.Timeout = 700 * time.Millisecond
	records, err := run(t, context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if m := missing(records, "server"); m == nil || !strings.Contains(m.Why, "not finished in time") {
		t.Errorf("%+v", m)
	}
	expectGone(t, o.Work)
}

func TestInterruptLeavesNothingRunning(t *testing.T) {
	o := options(t, t.TempDir(), "good", "server")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		waitForServer(o.Work)
		cancel()
	}()
	records, err := run(t, ctx, o)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was interrupted", err)
	}
	if len(records) != 2 || records[1].Result == nil || records[1].Result.Target != "good" {
		t.Errorf("%d records; want the run and what was measured", len(records))
	}
	expectGone(t, o.Work)
}

// runToBeKilled is a whole run in a process of its own.
func runToBeKilled(work string) {
	o := Options{Targets: []string{"server"}, Sets: []string{"A:3"}, Phases: []string{"ingest"}, Rounds: 1, Work: work, Out: filepath.Join(work, "results.jsonl"),
		Source: ".", Timeout: time.Minute, PartTimeout: time.Minute, KillAt: 0.5, targets: []Target{{Name: "server", built: true}}}
	if err := Run(context.Background(), o); err != nil {
		os.Exit(1)
	}
}

func TestKilledSuiteLeavesNoServer(t *testing.T) {
	work := t.TempDir()
	link(t, work, "server")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := adoptOrphans(); err != nil { // what the killed suite leaves shows up here
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "SUITE_TEST_RUN="+work)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitForServer(work)
	pids := serverPIDs(work)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	// The adapter and the server itself die with the suite. What the server had put into a session of its own only a suite that lives finds.
	for deadline := time.Now().Add(10 * time.Second); alive(pids[0]) && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
	}
	if alive(pids[0]) {
		t.Errorf("server %d outlives the suite", pids[0])
	}
	if err := sweep(); err != nil {
		t.Error(err)
	}
}

// serverPIDs are the processes that a fake server noted: itself and its children.
func serverPIDs(work string) (pids []int) {
	text, _ := os.ReadFile(filepath.Join(work, "pids"))
	for _, word := range strings.Fields(string(text)) {
		if pid, err := strconv.Atoi(word); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func waitForServer(work string) {
	for deadline := time.Now().Add(20 * time.Second); len(serverPIDs(work)) < 3 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
	}
}

// alive is false for a process that ended, also if nobody has waited for it.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && !strings.Contains(string(text), ") Z ")
}

func expectGone(t *testing.T, work string) {
	t.Helper()
	pids := serverPIDs(work)
	if len(pids) < 3 {
		t.Fatalf("the server noted %v: it did not run", pids)
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
}

func TestServersAreMeasuredAndLimited(t *testing.T) {
	o := options(t, t.TempDir(), "parent", "good")
	o.Sets = []string{"A:3", "A:20"}
	o.Phases, o.Limit = []string{"ingest"}, 1000
	o.targets[0].Server = true
	records, err := run(t, context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if m := missing(records, "targets that are servers"); m == nil || m.Set != "A:20" {
		t.Errorf("%+v", m)
	}
	for _, r := range records {
		if r.Result == nil {
			continue
		}
		n := r.Result.Numbers
		if _, server := n["server_cpu_s_per_million"]; server != (r.Result.Target == "parent") || n["peak_mib"] <= 0 {
			t.Errorf("%s on %s: %v", r.Result.Target, r.Result.Set, n)
		}
		if r.Result.Target == "parent" && (n["client_peak_mib"] <= 0 || r.Result.Set != "A:3") {
			t.Errorf("%s: %v", r.Result.Set, n)
		}
	}
}

func TestATraceIsReadAgainWhenItChanged(t *testing.T) {
	work := t.TempDir()
	csv := filepath.Join(work, "trace.csv")
	s := &session{o: Options{Work: work, CSVPath: csv}}
	for i, want := range []int64{2, 3, 3} {
		rows := []string{"time,series,value", "1,a,1", "2,a,1", "3,a,1"}[:min(3+i, 4)]
		if i < 2 {
			if err := os.WriteFile(csv, []byte(strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			later := time.Now().Add(time.Duration(i) * time.Hour)
			if err := os.Chtimes(csv, later, later); err != nil {
				t.Fatal(err)
			}
		}
		set, err := s.open("mine:10")
		if err != nil || set.Samples != want {
			t.Fatalf("%+v, %v; want %d samples", set, err, want)
		}
	}
	s.o.CSVPath = ""
	if _, err := s.open("other"); err == nil || !strings.Contains(err.Error(), "-csv") {
		t.Errorf("%v", err)
	}
}

func TestPatienceEnds(t *testing.T) {
	for _, tc := range []struct {
		set  func(*Options)
		want string // who is named
	}{
		{func(o *Options) { o.Patience = time.Nanosecond }, "good"},
		{func(o *Options) { o.For = time.Nanosecond }, "all targets"},
	} {
		o := options(t, t.TempDir(), "good")
		tc.set(&o)
		records, err := run(t, context.Background(), o)
		if m := missing(records, tc.want); err != nil || m == nil || m.Set != "A:3" {
			t.Errorf("%+v, %v", m, err)
		}
	}
}

func TestTargetsTakeTurns(t *testing.T) {
	set := &dataset.Set{Name: "D1", Samples: 10, StepMillis: 1000}
	s := &session{o: Options{Rounds: 3, Phases: []string{"ingest", "query", "verify"}}, sets: []*dataset.Set{set},
		targets: []Target{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	var got []string
	for _, j := range s.plan() {
		got = append(got, j.phase[:1]+j.target.Name)
	}
	if want := "ia ib ic qa qb qc va vb vc ib ic ia qb qc qa ic ia ib qc qa qb"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", strings.Join(got, " "), want)
	}
}

func TestOptionsNameEveryFault(t *testing.T) {
	_, err := Options{Targets: []string{"oracle"}, Phases: []string{"warp"}, Parts: []string{"x"}, Sets: []string{"A:0"}, Writers: []int{99}}.prepared()
	for _, want := range []string{"oracle", "warp", `goal part "x"`, "A:0", "99 writers", "rounds"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: nothing about %s", err, want)
		}
	}
}

func TestLongPartsRunOnlyWhenNamed(t *testing.T) {
	for _, p := range Parts {
		if slices.Contains(DefaultParts(), p.Name) == p.Long {
			t.Errorf("%s: long %v", p.Name, p.Long)
		}
	}
}
