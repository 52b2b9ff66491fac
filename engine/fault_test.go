package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"go.uber.org/goleak"

	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// faultFS injects errors into a file system: into the operation number at of those that pick selects, and, if sticky is
// set, into all that follow.
type faultFS struct {
	*errorfs.FS
	pick   func(op errorfs.Op) bool
	at     int64
	sticky bool
	err    error

	count, hits atomic.Int64
	harmful     atomic.Bool // one of the hits must be noticed: it was no removal
	off         atomic.Bool
}

func newFaultFS(fs vfs.FS, pick func(errorfs.Op) bool, at int64, sticky bool, err error) *faultFS {
	f := &faultFS{pick: pick, at: at, sticky: sticky, err: err}
	f.FS = errorfs.Wrap(fs, f)
	return f
}

// String is errorfs.Injector's.
func (f *faultFS) String() string { return "faultFS" }

// MaybeError is errorfs.Injector's.
func (f *faultFS) MaybeError(op errorfs.Op) error {
	if f.off.Load() || !f.pick(op) {
		return nil
	}
	n := f.count.Add(1)
	if n == f.at || f.sticky && n > f.at {
		f.hits.Add(1)
		if op.Kind != errorfs.OpRemove && op.Kind != errorfs.OpFilePreallocate {
			f.harmful.Store(true)
		}
		return fmt.Errorf("%s: %w", op.Path, f.err)
	}
	return nil
}

// ReuseForWrite wraps the file, which errorfs does not.
func (f *faultFS) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(oldname, newname, c)
	if err != nil {
		return nil, err
	}
	return errorfs.WrapFile(file, errorfs.InjectorFunc(func(op errorfs.Op) error {
		op.Path = newname
		return f.MaybeError(op)
	})), nil
}

func isWrite(op errorfs.Op) bool {
	return op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpLock && op.Kind != errorfs.OpFileClose
}

func isRead(op errorfs.Op) bool {
	return op.Kind.ReadOrWrite() == errorfs.OpIsRead && op.Kind != errorfs.OpGetDiskUsage
}

// within fails the test, with the stacks of all goroutines, if fn takes much longer than it ever should.
func within(t *testing.T, what string, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		var b bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&b, 2)
		t.Fatalf("%s hangs\n%s", what, b.Bytes())
	}
}

// inject runs the script with one fault and verifies; false if the script ended before the fault came.
func inject(t *testing.T, pick func(errorfs.Op) bool, at int64, sticky bool, fault error) bool {
	// Pebble leaves this one behind when its Open fails in the last step, listing the directory.
	granter := goleak.IgnoreTopFunction("github.com/cockroachdb/pebble/v2.(*ConcurrencyLimitScheduler).periodicGranter")
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), granter)
	mem := vfs.NewCrashableMem()
	ffs := newFaultFS(mem, pick, at, sticky, fault)
	read := pick(errorfs.Op{Kind: errorfs.OpFileRead})
	s := &script{t: t, fs: ffs, reads: read}
	s.run()
	if ffs.hits.Load() == 0 {
		return false
	}
	if sticky && !read && ffs.harmful.Load() && len(s.errs) == 0 {
		t.Error("no error came back")
	}
	ffs.off.Store(true)
	lost := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 0})
	s.verify(mem)
	s.verify(lost)
	return true
}

// TestWriteFaults fails each write, sync, create, rename and remove of a script in turn, once and for good.
func TestWriteFaults(t *testing.T) {
	for _, sticky := range []bool{false, true} {
		t.Run(map[bool]string{false: "once", true: "full"}[sticky], func(t *testing.T) {
			everyFault(t, isWrite, sticky, syscall.ENOSPC)
		})
	}
}

// everyFault injects at each operation of the script, or, if there are many, at the first ten and a sample of the rest.
func everyFault(t *testing.T, pick func(errorfs.Op) bool, sticky bool, fault error) {
	probe := newFaultFS(vfs.NewCrashableMem(), pick, math.MaxInt64, false, fault)
	s := &script{t: t, fs: probe}
	s.run()
	if len(s.errs) > 0 {
		t.Fatalf("without a fault: %v", s.errs)
	}
	total := probe.count.Load()
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("%d operations, seed %d", total, seed)
	enough := time.Now().Add(patience)
	for i, n := range append([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, r.Perm(int(total))...) {
		at := int64(n) + 1
		if i >= 10 && (at <= 10 || i > 60 || time.Now().After(enough)) {
			continue
		}
		t.Run(fmt.Sprint(at), func(t *testing.T) { inject(t, pick, at, sticky, fault) })
		if t.Failed() {
			return
		}
	}
}

// TestReadFaults fails reads: an error or the right data come back, never other data, and nothing is damaged.
func TestReadFaults(t *testing.T) {
	for _, sticky := range []bool{false, true} {
		t.Run(map[bool]string{false: "once", true: "for good"}[sticky], func(t *testing.T) {
			everyFault(t, isRead, sticky, syscall.EIO)
		})
	}
}

// TestFaultUnderLoad breaks the log while several goroutines append and read: all of them go on, with errors for what was
// not acknowledged, and the reads see it all.
func TestFaultUnderLoad(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	for n, enough := 0, time.Now().Add(patience); n < 12 && time.Now().Before(enough); n++ {
		mem := vfs.NewCrashableMem()
		pick := func(op errorfs.Op) bool { return isWrite(op) && strings.HasSuffix(op.Path, ".log") }
		ffs := newFaultFS(mem, pick, 20+r.Int64N(600), r.IntN(2) == 0, syscall.EIO)
		o := &Options{FS: ffs, MemoryBytes: 8 << 20, Sync: SyncMode(r.IntN(2)), SyncEvery: 10 * time.Millisecond}
		l := newLoad(t, o, 4)
		within(t, "load", func() { l.run(func() bool { return l.errors.Load() >= 5 }) })
		if l.db.Stats().Fault == "" {
			t.Error("Stats knows of no fault")
		}
		l.verify(l.db)
		within(t, "Close", func() {
			if err := l.db.Close(); !errors.Is(err, ErrReadOnly) {
				t.Errorf("close: %v", err)
			}
		})
		ffs.off.Store(true)
		l.reopen(mem)
		if o.Sync == SyncAlways {
			l.reopen(mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r}))
		}
	}
}

// load is some goroutines that append to a metric each: the value of a sample is its number, a batch has ten. Another one
// creates resources.
type load struct {
	t      *testing.T
	o      *Options
	db     *DB
	refs   []Ref
	ids    []UUID
	acked  []atomic.Int64 // batches a writer was told are stored
	made   atomic.Int64   // resources, by one more goroutine
	errors atomic.Int64   // of appends
	pause  time.Duration  // between appends of a writer
}

const loadBatch = 10

func newLoad(t *testing.T, o *Options, writers int) *load {
	l := &load{t: t, o: o, acked: make([]atomic.Int64, writers)}
	var err error
	if l.db, err = Open("db", o); err != nil {
		t.Fatal(err)
	}
	err = l.db.Update(context.Background(), func(tx *Tx) error {
		p := ArchivePolicy{Name: "p", Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Count}, Raw: RawForever}
		err := tx.CreateArchivePolicy(p)
		p.Name, p.Definition, p.Methods = "q", days(10*time.Second, time.Minute), []rollup.Method{rollup.Count, rollup.Max}
		err = errors.Join(err, tx.CreateArchivePolicy(p))
		for i := 0; i < writers && err == nil; i++ {
			var m Metric
			m, err = tx.CreateMetric(Metric{Policy: "p"})
			l.refs, l.ids = append(l.refs, m.Ref), append(l.ids, m.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// run appends until stop says so, or an append fails; a reader watches.
func (l *load) run(stop func() bool) {
	var wg sync.WaitGroup
	for i := range l.refs {
		wg.Go(func() {
			for !stop() && l.append(i) == nil {
				time.Sleep(l.pause)
			}
		})
	}
	wg.Go(func() {
		for !stop() && l.create() == nil {
			time.Sleep(5 * l.pause)
		}
	})
	wg.Go(func() {
		for n := 0; !stop() && l.change(n) == nil; n++ {
			time.Sleep(max(time.Millisecond, 5*l.pause))
		}
	})
	done := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				l.verify(l.db)
				time.Sleep(time.Millisecond)
			}
		}
	})
	for !stop() {
		time.Sleep(time.Millisecond)
	}
	close(done)
	wg.Wait()
}

func resourceID(n int64) UUID { return UUIDv5(UUID{}, fmt.Sprint("resource ", n)) }

// create makes the next resource.
func (l *load) create() error {
	n := l.made.Load()
	err := l.db.Update(context.Background(), func(tx *Tx) error {
		project := fmt.Sprint(n % 3)
		return tx.CreateResource(&Resource{ID: resourceID(n), OriginalID: "x", Type: "generic", ProjectID: &project})
	})
	if err != nil {
		l.errors.Add(1)
		return err
	}
	l.made.Add(1)
	return nil
}

// change gives one of the metrics its other policy.
func (l *load) change(n int) error {
	return l.db.Update(context.Background(), func(tx *Tx) error {
		return tx.ChangePolicy(l.ids[n%len(l.ids)], []string{"q", "p"}[n/len(l.ids)%2])
	})
}

// verifyResources looks for the resources that were acknowledged, by id and by project.
func (l *load) verifyResources(db *DB) {
	made := l.made.Load()
	for project := range int64(3) {
		eq := &index.Filter{Op: index.Eq, Field: "project_id", Value: textValue(fmt.Sprint(project))}
		rs, err := db.Resources(context.Background(), Query{Filter: eq})
		if err != nil {
			l.t.Errorf("resources: %v", err)
			return
		}
		found := map[UUID]bool{}
		for _, r := range rs {
			found[r.ID] = true
		}
		for n := project; n < made; n += 3 {
			if _, err := db.Resource(resourceID(n)); err != nil || !found[resourceID(n)] {
				l.t.Errorf("resource %d of %d: %v, found by project: %v", n, made, err, found[resourceID(n)])
				return
			}
		}
	}
}

// append sends the next batch of a writer.
func (l *load) append(i int) error {
	var b Batch
	n := l.acked[i].Load()
	for k := range int64(loadBatch) {
		b.Add(l.refs[i], (n*loadBatch+k)*1e9, float64(n*loadBatch+k))
	}
	if _, err := l.db.Append(context.Background(), &b); err != nil {
		l.errors.Add(1)
		return err
	}
	l.acked[i].Add(1)
	return nil
}

// verify looks for what was acknowledged before it began; one batch more may be there, whole.
func (l *load) verify(db *DB) {
	l.verifyResources(db)
	for i, ref := range l.refs {
		acked := l.acked[i].Load()
		v, err := db.View(ref)
		if err != nil {
			l.t.Errorf("view: %v", err)
			return
		}
		ts, vs, err := v.Raw(context.Background(), ref, 0, math.MaxInt64, nil, nil)
		if err != nil {
			l.t.Errorf("raw: %v", err)
		}
		ps, err := v.Measures(context.Background(), ref, time.Minute, []rollup.Method{rollup.Count}, 0, math.MaxInt64)
		if err != nil {
			l.t.Errorf("measures: %v", err)
		}
		v.Close()
		count := 0.0
		for _, p := range ps {
			for _, x := range p.Values {
				count += x
			}
		}
		if int64(len(ts)) < acked*loadBatch || len(ts)%loadBatch != 0 || count != float64(len(ts)) {
			l.t.Errorf("writer %d: %d samples, %v in aggregates, want at least %d, by tens", i, len(ts), count, acked*loadBatch)
		}
		for k := range ts {
			if ts[k] != int64(k)*1e9 || vs[k] != float64(k) {
				l.t.Errorf("writer %d: sample %d is %v at %d", i, k, vs[k], ts[k])
				return
			}
		}
	}
}

// reopen verifies on another file system, which it may write to, that everything is there and sound.
func (l *load) reopen(fs vfs.FS) {
	l.t.Helper()
	o := *l.o
	o.FS = fs
	within(l.t, "reopen", func() {
		db, err := Open("db", &o)
		if err != nil {
			l.t.Errorf("open: %v", err)
			return
		}
		l.verify(db)
		if err := db.Close(); err != nil {
			l.t.Errorf("close: %v", err)
		}
		if _, err := Check("db", &o, func(f Finding) { l.t.Errorf("check: %x: %v", f.Key, f.Err) }); err != nil {
			l.t.Errorf("check: %v", err)
		}
	})
}

// TestTablesFail has all tables fail for a while: what is written goes on in log and memory until that is too much, then is refused;
// reads, Compact and Close end; and when tables can be written again everything goes on.
func TestTablesFail(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	mem := vfs.NewCrashableMem()
	ffs := newFaultFS(mem, func(op errorfs.Op) bool { return isWrite(op) && isTable(op.Path) }, 1, true, syscall.ENOSPC)
	l := newLoad(t, &Options{FS: ffs, MemoryBytes: 8 << 20}, 2)
	if err := l.append(0); err != nil {
		t.Fatal(err)
	}
	within(t, "Compact", func() {
		if err := l.db.Compact(context.Background()); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("compact: %v", err)
		}
	})
	within(t, "Append", func() {
		if err := l.append(1); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("append while tables fail: %v", err)
		}
	})
	l.verify(l.db)
	ffs.off.Store(true)
	within(t, "Append", func() {
		for l.append(1) != nil {
			time.Sleep(time.Millisecond)
		}
	})
	l.verify(l.db)
	ffs.off.Store(false)
	within(t, "Close", func() { _ = l.db.Close() })
	ffs.off.Store(true)
	l.reopen(mem)
}

// diskFS says how much room there is.
type diskFS struct {
	vfs.FS
	avail atomic.Uint64
	err   atomic.Pointer[error]
}

// GetDiskUsage is vfs.FS's.
func (d *diskFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	if err := d.err.Load(); err != nil {
		return vfs.DiskUsage{}, *err
	}
	return vfs.DiskUsage{AvailBytes: d.avail.Load(), TotalBytes: 1 << 40}, nil
}

// TestDiskSpace refuses writes while there is little room, and goes on when there is.
func TestDiskSpace(t *testing.T) {
	disk := &diskFS{FS: vfs.NewCrashableMem()}
	disk.avail.Store(1 << 40)
	l := newLoad(t, &Options{FS: disk, MemoryBytes: 8 << 20}, 2)
	until := func(what string, want func(error) bool) {
		t.Helper()
		within(t, what, func() {
			for i := 0; !want(l.append(0)); i++ {
				if i > 5000 {
					t.Errorf("%s: not within %d appends", what, i)
					return
				}
			}
		})
		l.verify(l.db)
	}
	until("full", func(err error) bool {
		disk.avail.Store(reserveBytes - 1)
		return errors.Is(err, ErrFull)
	})
	if err := l.append(1); !errors.Is(err, ErrFull) {
		t.Errorf("append: %v, want ErrFull", err)
	}
	disk.avail.Store(reserveBytes)
	until("room again", func(err error) bool { return err == nil })
	broken := errors.New("no answer")
	disk.err.Store(&broken)
	until("not knowing", func(err error) bool { return errors.Is(err, broken) })
	disk.err.Store(nil)
	until("knowing", func(err error) bool { return err == nil })
	if err := l.db.Close(); err != nil {
		t.Fatal(err)
	}
	l.reopen(disk.FS)
}
