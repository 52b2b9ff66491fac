package engine

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
)

// TestCrashWhileWriting takes what a power loss would leave on disk, at random moments while several goroutines append and others
// open, compact and close, and looks for everything acknowledged before that moment.
func TestCrashWhileWriting(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	crashes := 0
	enough := time.Now().Add(patience)
	for crashes < 300 && time.Now().Before(enough) {
		mem := vfs.NewCrashableMem()
		l := newLoad(t, &Options{FS: mem, MemoryBytes: 8 << 20}, 4)
		l.pause = 200 * time.Microsecond // so that little has to be looked through
		for cycle := range 2 {
			var stop atomic.Bool
			var wg sync.WaitGroup
			wg.Go(func() { l.run(stop.Load) })
			wg.Go(func() {
				for cycle%2 == 1 && !stop.Load() {
					if err := l.db.Compact(context.Background()); err != nil {
						t.Errorf("compact: %v", err)
					}
				}
			})
			for n := 0; n < 5 && time.Now().Before(enough); n++ {
				l.db.packAll()
				time.Sleep(time.Duration(r.IntN(3000)) * time.Microsecond)
				l.crash(mem, r)
				crashes++
			}
			stop.Store(true)
			wg.Wait()
			// And in the course of Close and Open.
			var during sync.WaitGroup
			during.Go(func() {
				if err := l.db.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
				var err error
				if l.db, err = Open("db", l.o); err != nil {
					t.Errorf("open: %v", err)
				}
			})
			for n := 0; n < 4 && time.Now().Before(enough); n++ {
				time.Sleep(time.Duration(r.IntN(1500)) * time.Microsecond)
				l.crash(mem, r)
				crashes++
			}
			during.Wait()
			if t.Failed() {
				return
			}
		}
		if err := l.db.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d crashes", crashes)
}

// crash looks for what was acknowledged before this call in what a power loss now would leave, and again in what a power loss
// during the recovery from that would leave.
func (l *load) crash(mem *vfs.MemFS, r *rand.Rand) {
	before := &load{t: l.t, o: l.o, refs: l.refs, acked: make([]atomic.Int64, len(l.refs))}
	for i := range l.acked {
		before.acked[i].Store(l.acked[i].Load())
	}
	before.made.Store(l.made.Load())
	left := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
	if r.IntN(3) == 0 {
		o := *l.o
		o.FS = left
		db, err := Open("db", &o)
		if err != nil {
			l.t.Errorf("open after a crash: %v", err)
			return
		}
		again := left.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
		if err := db.Close(); err != nil {
			l.t.Errorf("close after a crash: %v", err)
		}
		left = again
	}
	before.reopen(left)
}

// TestTwoDatabases opens two in one process, and one of them twice.
func TestTwoDatabases(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dirs := [2]string{t.TempDir(), t.TempDir()}
	var dbs [2]*DB
	for i, dir := range dirs {
		db, err := Open(dir, &Options{Sync: SyncMode(i)})
		if err != nil {
			t.Fatal(err)
		}
		dbs[i] = db
	}
	for _, dir := range dirs {
		if db, err := Open(dir, nil); !errors.Is(err, ErrLocked) {
			t.Errorf("open for the second time: %v, %v; want ErrLocked", db, err)
		}
		if out, err := openElsewhere(dir); err != nil || out != ErrLocked.Error() {
			t.Errorf("open in another process: %q, %v; want ErrLocked", out, err)
		}
	}
	for i, db := range dbs {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if out, err := openElsewhere(dirs[i]); err != nil || out != "opened" {
			t.Errorf("open in another process after Close: %q, %v", out, err)
		}
	}
}

const elsewhereEnv = "TSDB_TEST_OPEN"

// openElsewhere opens a database in a process of its own and returns what it says.
func openElsewhere(dir string) (string, error) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestElsewhere$")
	cmd.Env = append(os.Environ(), elsewhereEnv+"="+dir)
	out, err := cmd.Output()
	for i, c := range out {
		if c == '\n' {
			out = out[:i]
			break
		}
	}
	return string(out), err
}

// TestElsewhere is what openElsewhere runs.
func TestElsewhere(t *testing.T) {
	dir := os.Getenv(elsewhereEnv)
	if dir == "" {
		return
	}
	db, err := Open(dir, nil)
	switch {
	case errors.Is(err, ErrLocked):
		os.Stdout.WriteString(ErrLocked.Error() + "\n")
	case err != nil:
		t.Fatal(err)
	default:
		os.Stdout.WriteString("opened\n")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestClosed calls everything after Close.
func TestClosed(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	l := newLoad(t, &Options{FS: vfs.NewMem()}, 1)
	if err := l.append(0); err != nil {
		t.Fatal(err)
	}
	m, err := l.db.MetricByRef(l.refs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := l.db.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	calls := map[string]func() error{
		"Append":      func() error { return l.append(0) },
		"Update":      func() error { return l.db.Update(ctx, func(*Tx) error { return nil }) },
		"View":        func() error { _, err := l.db.View(l.refs...); return err },
		"Compact":     func() error { return l.db.Compact(ctx) },
		"Sync":        func() error { return l.db.Sync(ctx) },
		"Metric":      func() error { _, err := l.db.Metric(m.ID); return err },
		"MetricByRef": func() error { _, err := l.db.MetricByRef(l.refs[0]); return err },
		"Metrics":     func() error { _, err := l.db.Metrics(ctx, Query{}); return err },
		"Resource":    func() error { _, err := l.db.Resource(m.ID); return err },
		"Resources":   func() error { _, err := l.db.Resources(ctx, Query{}); return err },
		"Close":       l.db.Close,
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
	if st := l.db.Stats(); st != (Stats{}) {
		t.Errorf("Stats after Close: %+v", st)
	}
}

// TestCloseWaits has Close wait for a view, and appends of the time fail cleanly or succeed.
func TestCloseWaits(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	mem := vfs.NewMem()
	l := newLoad(t, &Options{FS: mem}, 2)
	if err := l.append(0); err != nil {
		t.Fatal(err)
	}
	v, err := l.db.View(l.refs...)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			if err := l.append(1); err != nil {
				if !errors.Is(err, ErrClosed) {
					t.Errorf("append: %v", err)
				}
				return
			}
		}
	})
	closed := make(chan error, 1)
	go func() { closed <- l.db.Close() }()
	wg.Wait() // until Close has begun
	select {
	case err := <-closed:
		t.Errorf("Close did not wait for the view: %v", err)
	default:
	}
	ts, _, err := v.Raw(context.Background(), l.refs[0], 0, math.MaxInt64, nil, nil)
	if err != nil || len(ts) != loadBatch {
		t.Errorf("view while Close waits: %d samples, %v", len(ts), err)
	}
	v.Close()
	v.Close()
	within(t, "Close", func() {
		if err := <-closed; err != nil {
			t.Errorf("close: %v", err)
		}
	})
	l.reopen(mem)
}

// TestCancelled gives contexts that are over to what takes one.
func TestCancelled(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	l := newLoad(t, &Options{FS: vfs.NewMem()}, 100)
	for i := range l.refs {
		if err := l.append(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.db.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	v, err := l.db.View(l.refs...)
	if err != nil {
		t.Fatal(err)
	}
	// In the middle of a scan.
	n := 0
	err = v.EachRaw(ctx, 0, math.MaxInt64, func(Ref, []int64, []float64) error {
		if n++; n == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || n == len(l.refs) {
		t.Errorf("EachRaw: %v after %d metrics", err, n)
	}
	calls := map[string]func() error{
		"EachRaw": func() error {
			return v.EachRaw(ctx, 0, math.MaxInt64, func(Ref, []int64, []float64) error { return nil })
		},
		"Append":    func() error { var b Batch; b.Add(l.refs[0], 1e18, 1); _, err := l.db.Append(ctx, &b); return err },
		"Update":    func() error { return l.db.Update(ctx, func(*Tx) error { t.Error("Update ran"); return nil }) },
		"Resources": func() error { _, err := l.db.Resources(ctx, Query{}); return err },
		"Metrics":   func() error { _, err := l.db.Metrics(ctx, Query{}); return err },
		"Compact":   func() error { return l.db.Compact(ctx) },
		"Sync":      func() error { return l.db.Sync(ctx) },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
	v.Close()
	l.verify(l.db)
	if err := l.db.Close(); err != nil {
		t.Fatal(err)
	}
}
