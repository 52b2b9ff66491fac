package crash

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/engine"
)

var (
	seedFlag   = flag.Uint64("seed", 0, "seed of the random choices; 0: a new one")
	roundsFlag = flag.Int("rounds", 50, "rounds of TestCrash")
	soakFlag   = flag.Duration("soak", 0, "how long TestSoak goes on")
)

// TestCrash kills a writing process again and again.
func TestCrash(t *testing.T) {
	c := newCampaign(t, "crash")
	for range *roundsFlag {
		c.round(t)
	}
	c.end(t)
}

// TestSoak is TestCrash for as long as -soak says, in a new directory every 200 rounds.
func TestSoak(t *testing.T) {
	for end := time.Now().Add(*soakFlag); time.Now().Before(end); {
		c := newCampaign(t, "soak")
		for n := 0; n < 200 && time.Now().Before(end); n++ {
			c.round(t)
		}
		c.end(t)
	}
}

// campaign is a series of rounds over one directory.
type campaign struct {
	dir    string
	r      *rand.Rand
	n      int
	st     *state
	models map[string]*modelled

	appends, updates, ticks, under int // what was acknowledged, and what was under way when the child was killed
}

func newCampaign(t *testing.T, name string) *campaign {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d (-seed=%d repeats the choices, though not the moments)", seed, seed)
	dir, err := os.MkdirTemp("", "tsdb-"+name+"-")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	c := &campaign{dir: dir, r: r, st: newState(2 + r.IntN(3)), models: map[string]*modelled{}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("round %d failed; its directory is %s, its journal ends\n%s", c.n, dir, lastLines(c.journal(), 12))
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c *campaign) journal() string { return filepath.Join(c.dir, fmt.Sprintf("journal-%04d", c.n)) }

func (c *campaign) end(t *testing.T) {
	t.Logf("%d rounds: %d appends, %d updates and %d ticks acknowledged; %d operations cut off", c.n, c.appends, c.updates, c.ticks, c.under)
}

// round has a child write, kills it, sometimes kills another one that opens what is left, and compares.
func (c *campaign) round(t *testing.T) {
	c.n++
	b, err := json.Marshal(c.st)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, stateFile), b, 0o644); err != nil {
		t.Fatal(err)
	}
	c.kill(t, "write", time.Duration(20+c.r.IntN(380))*time.Millisecond)
	for c.r.IntN(3) == 0 {
		c.kill(t, "open", time.Duration(10+c.r.IntN(90))*time.Millisecond)
	}
	db, err := engine.Open(filepath.Join(c.dir, databaseDir), options(c.r.IntN(2) == 0))
	if err != nil {
		t.Fatalf("open after a kill: %v", err)
	}
	pending := c.replay(t, readJournal(t, c.journal()))
	c.settle(t, db, pending)
	c.compare(t, db)
	if err := db.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if c.n%5 == 0 {
		c.check(t)
	}
}

// kill starts a child and kills it after a while.
func (c *campaign) kill(t *testing.T, mode string, after time.Duration) {
	sync := []string{"always", "interval"}[c.n%2]
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+c.dir, fmt.Sprintf("%s=%d", seedEnv, c.r.Uint64()), modeEnv+"="+mode, journalEnv+"="+c.journal(), syncEnv+"="+sync)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !ws.Signaled() || ws.Signal() != syscall.SIGKILL || out.Len() > 0 {
		t.Fatalf("the child (%s, sync %s) ended by itself: %v\n%s", mode, sync, err, out.Bytes())
	}
}

// check has every stored byte verified.
func (c *campaign) check(t *testing.T) {
	_, err := engine.Check(filepath.Join(c.dir, databaseDir), options(true), func(f engine.Finding) {
		t.Errorf("check: %x of metric %v: %v", f.Key, f.Metric, f.Err)
	})
	if err != nil {
		t.Fatalf("check: %v", err)
	}
}
