package targettest

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target"
)

// Crash appends until so many samples are acknowledged, kills the adapter with SIGKILL, which must end its server, and returns what a new one finds.
func (a *Adapter) Crash(samples int64) target.Result {
	a.T.Helper()
	ack := filepath.Join(a.T.TempDir(), "ack")
	cmd := a.Command("crash-write", "-ack", ack)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		a.T.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	late := time.After(phaseLimit)
	for target.Acknowledged(ack) < samples {
		select {
		case err := <-ended:
			a.T.Fatalf("it ended by itself: %v", err)
		case <-late:
			_ = cmd.Process.Kill()
			a.T.Fatalf("%d samples acknowledged within %v, want %d", target.Acknowledged(ack), phaseLimit, samples)
		case <-time.After(time.Millisecond):
		}
	}
	_ = cmd.Process.Kill()
	<-ended
	return a.Run("crash-check", "-ack", ack)
}

// Check runs ingest, query and verify, and reports every answer that is not the set's and every series that is not exact. It is quicker than Compare.
func (a *Adapter) Check(ingest ...string) (ingested target.Result) {
	a.T.Helper()
	ingested = a.Run("ingest", ingest...)
	set, err := dataset.Open(a.Data)
	if err != nil {
		a.T.Fatal(err)
	}
	answers, err := target.Answers(set, 0)
	if err != nil {
		a.T.Fatal(err)
	}
	sums := 0
	for key, text := range a.Run("query", "-reps", "3", "-seed", "0").Texts {
		question, isSum := strings.CutSuffix(key, "_sum")
		want, known := answers[question]
		if !isSum || !known {
			continue
		}
		sums++
		if got, err := strconv.ParseFloat(text, 64); err != nil || math.Abs(got-want) > 1e-7*math.Abs(want) {
			a.T.Errorf("%s is %s, want %v", question, text, want)
		}
	}
	if sums < leastSums {
		a.T.Errorf("only %d sums", sums)
	}
	if n := a.Run("verify").Numbers; n["inexact_series"] != 0 || n["samples"] != ingested.Numbers["samples"] || n["samples"] == 0 {
		a.T.Errorf("%v", n)
	}
	return ingested
}
