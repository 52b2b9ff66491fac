package engine

import (
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// lazySync is a file system whose log files are synced every so often instead of whenever Pebble asks: a write is
// acknowledged when the operating system has it. Only the log is relaxed; tables and manifests are synced as ever.
type lazySync struct {
	vfs.FS
	fail func(error) error

	mu    sync.Mutex
	files map[*lazyFile]struct{}

	done chan struct{}
	idle sync.WaitGroup
}

func newLazySync(fs vfs.FS, every time.Duration, fail func(error) error) *lazySync {
	l := &lazySync{FS: fs, fail: fail, files: map[*lazyFile]struct{}{}, done: make(chan struct{})}
	l.idle.Add(1)
	go l.run(every)
	return l
}

// run syncs until close, which waits for it.
func (l *lazySync) run(every time.Duration) {
	defer l.idle.Done()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-tick.C:
			if err := l.sync(); err != nil {
				l.fail(err)
				return
			}
		}
	}
}

// sync brings the log files to stable storage.
func (l *lazySync) sync() error {
	l.mu.Lock()
	files := make([]*lazyFile, 0, len(l.files))
	for f := range l.files {
		files = append(files, f)
	}
	l.mu.Unlock()
	for _, f := range files {
		if err := f.sync(); err != nil {
			return err
		}
	}
	return nil
}

func (l *lazySync) close() error {
	if l == nil {
		return nil
	}
	close(l.done)
	l.idle.Wait()
	return nil
}

// Unwrap lets Pebble find the file system below.
func (l *lazySync) Unwrap() vfs.FS { return l.FS }

func (l *lazySync) wrap(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil || !strings.HasSuffix(name, ".log") {
		return f, err
	}
	lf := &lazyFile{File: f, fs: l}
	l.mu.Lock()
	l.files[lf] = struct{}{}
	l.mu.Unlock()
	return lf, nil
}

// Create is vfs.FS's.
func (l *lazySync) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.Create(name, c)
	return l.wrap(name, f, err)
}

// ReuseForWrite is vfs.FS's.
func (l *lazySync) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.ReuseForWrite(oldname, newname, c)
	return l.wrap(newname, f, err)
}

// lazyFile is a log file. Its mutex keeps sync away from a closed file.
type lazyFile struct {
	vfs.File
	fs     *lazySync
	mu     sync.Mutex
	closed bool
}

func (f *lazyFile) sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	return f.File.SyncData()
}

// Sync is put off until the next tick.
func (f *lazyFile) Sync() error { return nil }

// SyncData is put off until the next tick.
func (f *lazyFile) SyncData() error { return nil }

// SyncTo is put off until the next tick.
func (f *lazyFile) SyncTo(int64) (bool, error) { return false, nil }

// Close syncs what was put off: Pebble moves on to another file and will not ask for this one again.
func (f *lazyFile) Close() error {
	err := f.sync()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.fs.mu.Lock()
	delete(f.fs.files, f)
	f.fs.mu.Unlock()
	if cerr := f.File.Close(); err == nil {
		err = cerr
	}
	return err
}
