package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"go.uber.org/goleak"
)

// logNums are the numbers of the log files of a file system.
func logNums(t *testing.T, fs vfs.FS) []uint64 {
	t.Helper()
	nums, err := listLogs(fs, "db")
	if err != nil {
		t.Fatal(err)
	}
	return nums
}

// rotate has Pebble begin a new log file and waits until it has given up those before.
func (l *load) rotate() {
	l.t.Helper()
	if err := l.db.flush(context.Background()); err != nil {
		l.t.Fatal(err)
	}
	for {
		l.db.log.mu.Lock()
		done := !slices.ContainsFunc(l.db.log.files, func(f *logFile) bool { return f != l.db.log.active && !f.released })
		l.db.log.mu.Unlock()
		if done {
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
}

func (l *load) mustAppend(i int) {
	l.t.Helper()
	if err := l.append(i); err != nil {
		l.t.Fatal(err)
	}
}

// TestLogKept has Pebble give up files of its log: those that hold records of a dirty series stay, and go when it is sealed.
func TestLogKept(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, mode := range []SyncMode{SyncAlways, SyncInterval} {
		mem := vfs.NewCrashableMem()
		l := newLoad(t, &Options{FS: mem, MemoryBytes: 8 << 20, Sync: mode, SyncEvery: time.Hour}, 2)
		for range 3 {
			l.mustAppend(0)
			l.rotate()
			l.mustAppend(1)
			if err := l.db.seal(l.refs[1], sealNothing); err != nil {
				t.Fatal(err)
			}
			l.rotate()
		}
		nums := logNums(t, mem)
		if len(nums) != 7 {
			t.Errorf("%d log files after 6 rotations", len(nums))
		}
		if st := l.db.Stats(); st.LogBytes == 0 || st.DiskBytes < l.db.log.kept() || l.db.log.kept() == 0 {
			t.Errorf("%+v, %d bytes kept", st, l.db.log.kept())
		}
		l.reopen(mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))}))
		if err := l.db.checkpoint(sealNothing); err != nil {
			t.Fatal(err)
		}
		if err := l.db.trimLog(); err != nil {
			t.Fatal(err)
		}
		if left := logNums(t, mem); !slices.Equal(left, nums[6:]) {
			t.Errorf("trimmed log: files %v of %v are left", left, nums)
		}
		l.reopen(mem.CrashClone(vfs.CrashCloneCfg{})) // what is gone was made durable first
		// What is needless when Pebble gives it up goes at once.
		if err := l.db.trimBefore(l.db.seq.Load() + 1); err != nil {
			t.Fatal(err)
		}
		l.rotate()
		if left := logNums(t, mem); len(left) != 1 || left[0] <= nums[6] {
			t.Errorf("files %v are left of an empty log", left)
		}
		l.mustAppend(0)
		if err := l.db.Close(); err != nil {
			t.Fatal(err)
		}
		if left := logNums(t, mem); len(left) != 0 {
			t.Errorf("closed database: log files %v", left)
		}
		l.reopen(mem)
	}
}

// TestLogReuse reuses the name of a log file that is needed, and of one that is not, below Pebble.
func TestLogReuse(t *testing.T) {
	mem := vfs.NewMem()
	var log logState
	var seq atomic.Uint64
	s := &shield{FS: mem, fault: &fault{}, log: &log, seq: &seq}
	write := func(name, text string, create func() (vfs.File, error)) {
		f, err := create()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write("000001.log", "one", func() (vfs.File, error) { return s.Create("000001.log", "") })
	seq.Store(5)
	write("000002.log", "two", func() (vfs.File, error) { return s.ReuseForWrite("000001.log", "000002.log", "") })
	log.trimTo(5)
	seq.Store(9)
	write("000003.log", "three", func() (vfs.File, error) { return s.Create("000003.log", "") })
	write("000004.log", "four", func() (vfs.File, error) { return s.ReuseForWrite("000002.log", "000004.log", "") })
	log.trimTo(9)
	seq.Store(12)
	if err := s.Remove("000003.log"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"000001.log": "one", "000002.log": "two", "000004.log": "four"} {
		f, err := mem.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(f); err != nil || string(b) != want {
			t.Errorf("%s holds %q (%v), want %q", name, b, err, want)
		}
		f.Close()
	}
	if _, err := mem.Stat("000003.log"); err == nil {
		t.Error("a needless file was not removed")
	}
}

// TestCrashAtEveryStep takes what a power loss would leave before each operation that changes the disk, while log files are begun, kept
// and trimmed and the database is closed, crashes and recovers.
func TestCrashAtEveryStep(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	mem := vfs.NewCrashableMem()
	var l *load
	type crash struct {
		left  *vfs.MemFS
		acked []int64
	}
	var crashes []crash
	var busy atomic.Bool
	step := func(op errorfs.Op) bool {
		if l == nil || !isWrite(op) || !busy.CompareAndSwap(false, true) {
			return false
		}
		defer busy.Store(false)
		c := crash{acked: make([]int64, len(l.refs))}
		for i := range l.acked {
			c.acked[i] = l.acked[i].Load()
		}
		c.left = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[r.IntN(3)], RNG: r})
		crashes = append(crashes, c)
		return false
	}
	o := &Options{FS: newFaultFS(mem, step, 0, false, nil), MemoryBytes: 8 << 20}
	l = newLoad(t, o, 3)
	for round := range 3 {
		for i := range 6 {
			l.mustAppend(i % 3)
			if i%2 == 0 {
				l.rotate()
			}
			if err := l.db.seal(l.refs[(i+round)%3], sealNothing); err != nil {
				t.Fatal(err)
			}
			if err := l.db.trimLog(); err != nil {
				t.Fatal(err)
			}
		}
		if round == 1 {
			continue
		}
		if err := l.db.Close(); err != nil {
			t.Fatal(err)
		}
		var err error
		if l.db, err = Open("db", o); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.db.Close(); err != nil {
		t.Fatal(err)
	}
	all := l.refs
	enough := time.Now().Add(patience)
	done := 0
	for _, k := range r.Perm(len(crashes)) {
		if time.Now().After(enough) {
			break
		}
		c := crashes[k]
		o := &Options{MemoryBytes: 8 << 20}
		before := &load{t: t, o: o, refs: all, acked: make([]atomic.Int64, len(all))}
		for i := range c.acked {
			before.acked[i].Store(c.acked[i])
		}
		before.again(c.left, r)
		if done++; t.Failed() {
			t.Fatalf("crash %d of %d", k, len(crashes))
		}
	}
	t.Logf("%d of %d crashes", done, len(crashes))
}

// again recovers what a crash left, goes on, crashes, and recovers: what was read the first time is as durable as what came after.
func (l *load) again(left *vfs.MemFS, r *rand.Rand) {
	l.t.Helper()
	o := *l.o
	o.FS = left
	var err error
	if l.db, err = Open("db", &o); err != nil {
		l.t.Errorf("open: %v", err)
		return
	}
	l.verify(l.db)
	for i, ref := range l.refs { // one batch more may be there
		v, err := l.db.View(ref)
		if err != nil {
			l.t.Fatal(err)
		}
		ts, _, err := v.Raw(context.Background(), ref, 0, math.MaxInt64, nil, nil)
		if err != nil {
			l.t.Fatal(err)
		}
		v.Close()
		l.acked[i].Store(int64(len(ts)) / loadBatch)
		l.mustAppend(i)
	}
	next := left.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
	if err := l.db.Close(); err != nil {
		l.t.Errorf("close: %v", err)
	}
	l.reopen(next)
}

// copyLog replaces a log file by its first n bytes, and flips bit if that is not negative.
func copyLog(t *testing.T, fs vfs.FS, num uint64, n int64, bit int64) {
	t.Helper()
	path := logPath(fs, "db", num)
	f, err := fs.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	b = bytes.Clone(b[:min(n, int64(len(b)))])
	if bit >= 0 {
		b[bit/8] ^= 1 << (bit % 8)
	}
	if f, err = fs.Create(path, vfs.WriteCategoryUnspecified); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func fileSize(t *testing.T, fs vfs.FS, num uint64) int64 {
	t.Helper()
	i, err := fs.Stat(logPath(fs, "db", num))
	if err != nil {
		t.Fatal(err)
	}
	return i.Size()
}

// TestTornLog cuts the newest log file everywhere: what is whole before the cut is there, it can be gone on from, and neither that nor another
// crash makes the cut look like damage.
func TestTornLog(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	mem := vfs.NewCrashableMem()
	l := newLoad(t, &Options{FS: mem, MemoryBytes: 8 << 20}, 1)
	l.rotate()
	num := slices.Max(logNums(t, mem))
	var ends []int64 // of the file after each batch
	for range 700 {
		l.mustAppend(0)
		ends = append(ends, fileSize(t, mem, num))
	}
	size := ends[len(ends)-1]
	if size < 2*logBlock {
		t.Fatalf("the log has %d bytes, want some blocks", size)
	}
	crashed := func() *vfs.MemFS { return mem.CrashClone(vfs.CrashCloneCfg{}) }
	enough := time.Now().Add(patience)
	var cuts []int64
	for n := range int64(40) { // beside and across the end of a block
		cuts = append(cuts, logBlock-20+n, size-n)
	}
	for range 100 {
		cuts = append(cuts, r.Int64N(size+1))
	}
	r.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
	for _, cut := range cuts {
		if time.Now().After(enough) {
			break
		}
		fs := crashed()
		copyLog(t, fs, num, cut, -1)
		whole, _ := slices.BinarySearch(ends, cut+1)
		torn := &load{t: t, o: l.o, refs: l.refs, acked: make([]atomic.Int64, 1)}
		torn.acked[0].Store(int64(whole))
		torn.again(fs, r)
		if t.Failed() {
			t.Fatalf("cut at %d of %d", cut, size)
		}
	}
	if err := l.db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestFlippedLog flips bits of log files that are kept for their sample records: opening and Check name the file, or everything is there.
func TestFlippedLog(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	mem := vfs.NewCrashableMem()
	l := newLoad(t, &Options{FS: mem, MemoryBytes: 8 << 20}, 2)
	for range 3 {
		for range 20 {
			l.mustAppend(0)
			l.mustAppend(1)
		}
		l.rotate()
	}
	l.mustAppend(1)
	nums := logNums(t, mem)
	enough := time.Now().Add(patience)
	noticed := 0
	for range 200 {
		if time.Now().After(enough) {
			break
		}
		num := nums[r.IntN(len(nums)-1)]
		size := fileSize(t, mem, num)
		bit := r.Int64N(8 * size)
		fs := mem.CrashClone(vfs.CrashCloneCfg{})
		copyLog(t, fs, num, size, bit)
		o := *l.o
		o.FS = fs
		db, err := Open("db", &o)
		if err != nil {
			noticed++
			var c *CorruptError
			if !errors.As(err, &c) || !errors.Is(err, ErrCorrupt) || c.File != fs.PathBase(logPath(fs, "db", num)) || c.Offset > bit/8 {
				t.Errorf("bit %d of file %d: %v", bit, num, err)
			}
			found := 0
			if _, err := Check("db", &o, func(f Finding) {
				if found++; !errors.As(f.Err, &c) || c.File != fs.PathBase(logPath(fs, "db", num)) {
					t.Errorf("check, bit %d of file %d: %v", bit, num, f.Err)
				}
			}); err != nil || found == 0 {
				t.Errorf("check, bit %d of file %d: %v, %d findings", bit, num, err, found)
			}
			continue
		}
		l.verify(db)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if noticed == 0 {
		t.Error("no flip was noticed")
	}
	if err := l.db.Close(); err != nil {
		t.Fatal(err)
	}
}

// logSize is what the files of the log have in all, in bytes.
func logSize(t *testing.T, mem *vfs.MemFS) (sum int64) {
	for _, num := range logNums(t, mem) {
		if i, err := mem.Stat(logPath(mem, "db", num)); err == nil { // it may go meanwhile
			sum += i.Size()
		}
	}
	return sum
}

// TestLogBudget appends much more than the log may hold, with one metric's only sample at its beginning: that is sealed and the
// log stays within its bound.
func TestLogBudget(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	mem := vfs.NewMem()
	l := newLoad(t, &Options{FS: mem, MemoryBytes: 8 << 20, Sync: SyncInterval}, 40)
	l.mustAppend(0)
	r := rand.New(rand.NewPCG(1, 1))
	var b Batch
	var at int64
	for n := range 80 * int(patience/time.Second) {
		b.Reset()
		for range 250 {
			at++
			for _, ref := range l.refs[1:] {
				b.Add(ref, at*1e9+r.Int64N(1e8), r.NormFloat64())
			}
		}
		if _, err := l.db.Append(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		if n%20 > 0 {
			continue
		}
		// Files go in the background; on a busy machine the writer is ahead of that.
		bound := l.db.logBudget() * 3 / 2
		for wait := time.Now().Add(patience); logSize(t, mem) > bound; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(wait) {
				t.Fatalf("the log stays at %d bytes of %d", logSize(t, mem), bound)
			}
		}
	}
	if err := l.db.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := Open("db", l.o)
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.View(l.refs...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.refs {
		want := at
		if i == 0 {
			want = loadBatch
		}
		ts, _, err := v.Raw(context.Background(), l.refs[i], 0, math.MaxInt64, nil, nil)
		if err != nil || int64(len(ts)) != want {
			t.Errorf("metric %d: %d samples, %v; want %d", i, len(ts), err, want)
		}
	}
	v.Close()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
