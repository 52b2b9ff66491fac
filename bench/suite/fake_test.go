package suite

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/bench/child"
	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target"
)

// The test binary is an adapter itself when it is called by the name of a fake.
func TestMain(m *testing.M) {
	name := filepath.Base(os.Args[0])
	if make, ok := fakes[name]; ok {
		target.Main(name, make())
		return
	}
	if dir := os.Getenv("SUITE_TEST_RUN"); dir != "" {
		runToBeKilled(dir)
		return
	}
	os.Exit(m.Run())
}

var fakes = map[string]func() target.Target{
	"good":   func() target.Target { return &fake{} },
	"liar":   func() target.Target { return &fake{lies: true} },
	"closed": func() target.Target { return &fake{onOpen: errors.New("the server said no")} },
	"hangs":  func() target.Target { return &fake{hangs: true} },
	"dies":   func() target.Target { return &fake{dies: true} },
	"nobody": func() target.Target { return &unversioned{} },
	"parent": func() target.Target { return &serving{fake{server: true}} },
	"server": func() target.Target { return &serving{fake{server: true, hangs: true}} },
}

// fake keeps its samples in a file of rows, as they come.
type fake struct {
	lies, hangs, dies, server bool
	onOpen                    error

	mu      sync.Mutex
	set     *dataset.Set
	rows    []dataset.Sample
	file    *os.File
	process *child.Process
}

func (f *fake) Open(dir string, set *dataset.Set, _ target.Options) error {
	if f.onOpen != nil {
		return f.onOpen
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if f.server {
		if err := f.startServer(dir); err != nil {
			return err
		}
	}
	var err error
	f.set = set
	if f.file, err = os.OpenFile(filepath.Join(dir, "rows"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644); err != nil {
		return err
	}
	f.rows = nil
	for in := bufio.NewReader(f.file); ; {
		var row dataset.Sample
		if _, err := fmt.Fscanln(in, &row.Series, &row.Millis, &row.Value); err != nil {
			return nil
		}
		f.rows = append(f.rows, row)
	}
}

// startServer starts a child that has a child itself, one in a session of its own, as daemons are.
func (f *fake) startServer(dir string) (err error) {
	pids := filepath.Join(filepath.Dir(filepath.Dir(dir)), "pids")
	script := fmt.Sprintf("setsid sh -c 'echo $$ >>%[1]s; exec sleep 1000' & echo $$ >>%[1]s; echo $! >>%[1]s; exec sleep 1000", pids)
	f.process, err = child.Start(child.Config{Binary: "sh", Args: []string{"-c", script}, Log: filepath.Join(dir, "server.log")})
	return err
}

func (f *fake) Version() (string, error) { return "fake 1.0", nil }

func (f *fake) Append(_ int, samples []dataset.Sample) error {
	if f.dies {
		fmt.Fprintln(os.Stderr, "the disk is full")
		os.Exit(7)
	}
	if f.hangs {
		time.Sleep(time.Hour)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range samples {
		if _, err := fmt.Fprintln(f.file, s.Series, s.Millis, strconv.FormatFloat(s.Value, 'g', -1, 64)); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) Settle() error { return nil }

func (f *fake) Scan(s target.Selection, from, to int64, emit func([]int64, []float64)) error {
	for _, row := range f.rows {
		if f.lies {
			row.Value *= 2
		}
		if row.Millis >= from && row.Millis <= to && (s.Key == "" && int(row.Series) == s.Series || s.Key != "" && f.set.Series[row.Series].Group == s.Value) {
			emit([]int64{row.Millis}, []float64{row.Value})
		}
	}
	return nil
}

func (f *fake) Lookup(_, value string) (n, bytes int, err error) {
	for _, s := range f.set.Series {
		if s.Project == value {
			n, bytes = n+1, bytes+len(s.Metric)+len(s.Resource)+len(s.Project)+len(s.Host)+len(s.Group)
		}
	}
	return n, bytes, nil
}

func (f *fake) Unit() time.Duration { return time.Millisecond }

func (f *fake) Close() error {
	var err error
	if f.process != nil {
		err = f.process.Kill()
	}
	return errors.Join(err, f.file.Close())
}

// serving has a server.
type serving struct{ fake }

func (s *serving) Processes() []int { return []int{s.process.PID()} }

// unversioned cannot tell what it is.
type unversioned struct{ fake }

func (*unversioned) Version() (string, error) { return "", errors.New("it does not say") }

// link makes the test binary the adapter of each fake.
func link(t testing.TB, work string, fakes ...string) (targets []Target) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(work, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range fakes {
		if err := os.Link(exe, filepath.Join(bin, name)); err != nil {
			if text, err := exec.Command("cp", exe, filepath.Join(bin, name)).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
		}
		targets = append(targets, Target{Name: name, built: true, Syncs: name == "good"})
	}
	return targets
}
