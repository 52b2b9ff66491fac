// Package targettest runs the phases of an adapter in its tests as the suite does, each in a process of its own, and compares what they add up to
// with the target tsdb on the same set.
package targettest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target"
)

const (
	role       = "TARGETTEST_ADAPTER"
	phaseLimit = 5 * time.Minute
	leastSums  = 5
)

// Main is for the TestMain of an adapter: the test's binary becomes the adapter where Adapter starts it.
func Main(m *testing.M, adapter func()) {
	if os.Getenv(role) != "" {
		adapter()
		return
	}
	os.Exit(m.Run())
}

// Adapter is an adapter with a store and a set.
type Adapter struct {
	T         testing.TB
	Data      string
	store     string
	binary    string
	arguments []string
}

// New returns the adapter under test on a set shortened to so many ticks, in a directory below dir. arguments go to each phase.
func New(t testing.TB, set string, ticks int, dir string, arguments ...string) *Adapter {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	if err := dataset.Generate(data, set, ticks); err != nil {
		t.Fatal(err)
	}
	return &Adapter{t, data, dir, binary, arguments}
}

// Reference returns tsdb on the same set.
func (a *Adapter) Reference() *Adapter {
	a.T.Helper()
	binary := filepath.Join(a.T.TempDir(), "tsdb")
	if text, err := exec.Command("go", "build", "-o", binary, "github.com/telemetrydb/tsdb/bench/target/tsdb").CombinedOutput(); err != nil {
		a.T.Fatalf("%v\n%s", err, text)
	}
	return &Adapter{a.T, a.Data, a.T.TempDir(), binary, nil}
}

// Command is the adapter's process for a phase, not started.
func (a *Adapter) Command(phase string, more ...string) *exec.Cmd {
	args := append([]string{"-phase", phase, "-data", a.Data, "-store", a.store}, a.arguments...)
	cmd := exec.Command(a.binary, append(args, more...)...)
	cmd.Env = append(os.Environ(), role+"=1")
	return cmd
}

// Run runs a phase, which must succeed.
func (a *Adapter) Run(phase string, more ...string) target.Result {
	a.T.Helper()
	cmd := a.Command(phase, more...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		a.T.Fatal(err)
	}
	late := time.AfterFunc(phaseLimit, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	if err := cmd.Wait(); err != nil {
		a.T.Fatalf("%s: %v\n%s", phase, err, errs.Bytes())
	}
	var r target.Result
	if out.Len() == 0 && phase == "remove" {
		return r
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		a.T.Fatalf("%s: %v\n%s", phase, err, out.Bytes())
	}
	return r
}

// Compare runs ingest, query and verify, and reports every answer that is not the reference's, and every series that is not exact.
func (a *Adapter) Compare(ingest ...string) (ingested target.Result) {
	a.T.Helper()
	ingested = a.Run("ingest", ingest...)
	a.CompareQueries()
	if n := a.Run("verify").Numbers; n["inexact_series"] != 0 || n["samples"] != ingested.Numbers["samples"] || n["samples"] == 0 {
		a.T.Errorf("%v", n)
	}
	return ingested
}

// CompareQueries runs query on what is stored and reports every answer that is not the reference's.
func (a *Adapter) CompareQueries() {
	a.T.Helper()
	got := a.Run("query", "-reps", "1")
	other := a.Reference()
	other.Run("ingest")
	want := other.Run("query", "-reps", "1")
	sums := 0
	for key, text := range got.Texts {
		if !strings.HasSuffix(key, "_sum") {
			continue
		}
		sums++
		if text != want.Texts[key] {
			a.T.Errorf("%s is %s, want %s", key, text, want.Texts[key])
		}
	}
	if sums < leastSums || len(got.Wrong) > 0 {
		a.T.Errorf("%d sums %v, wrong: %v", sums, got.Texts, got.Wrong)
	}
}
