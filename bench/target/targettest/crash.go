package targettest

import (
	"os"
	"path/filepath"
	"time"

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
