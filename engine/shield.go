package engine

import (
	"errors"
	"io/fs"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// shield stands between Pebble and the file system. When its log, its manifest, a marker or a directory cannot be written, Pebble
// panics, in some places on goroutines of its own or with locks in a state that ends the process. So it is not told:
// the first such error makes the database read-only (see fault), and from then on these files, renames and removals are frozen:
// nothing reaches the disk any more, and everything seems to succeed. Nobody is told that a batch is durable after
// that (DB.wait). What is on disk is what a crash at that moment would have left, and opening it again recovers from that.
//
// Tables are different: Pebble takes their errors well, but tries again at once, so the error is handed on after a pause.
//
// It also keeps the files of the log that hold sample records some series needs: Pebble knows nothing of these.
type shield struct {
	vfs.FS
	fault *fault
	log   *logState
	seq   *atomic.Uint64 // of the last log record
	ops   *opGate
}

// tablePause slows down Pebble's retries of failed table writes. No lock is held meanwhile.
const tablePause = 50 * time.Millisecond

func isTable(name string) bool {
	return strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".blob")
}

func (s *shield) frozen() bool { return s.fault.check() != nil }

// swallow freezes the files because of err; what is written is lost, and the caller need not know.
func (s *shield) swallow(err error) error {
	if err != nil {
		_ = s.fault.set(err)
	}
	return nil
}

// mutate runs a change of the directory unless it is frozen.
func (s *shield) mutate(fn func() error) error {
	if s.frozen() {
		return nil
	}
	return s.swallow(fn())
}

// Unwrap lets Pebble find the file system below.
func (s *shield) Unwrap() vfs.FS { return s.FS }

// Create is vfs.FS's.
func (s *shield) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if isTable(name) {
		f, err := s.FS.Create(name, c)
		if err != nil {
			time.Sleep(tablePause)
			return nil, err
		}
		return &tableFile{f}, nil
	}
	sf := &shieldFile{s: s}
	num, isLog := logNumber(s.FS, name)
	if isLog {
		sf.size = &s.log.created(num, s.seq.Load()).size
	}
	if strings.HasPrefix(s.FS.PathBase(name), "marker.") {
		s.settle(s.FS.PathDir(name))
	}
	// The file may not exist at all.
	if s.frozen() {
		sf.File = noFile()
		return sf, nil
	}
	var err error
	if sf.File, err = s.FS.Create(name, c); err != nil {
		_ = s.swallow(err)
		sf.File = noFile()
	} else if isLog {
		sf.File = newZeroedFile(sf.File)
	}
	return sf, nil
}

// Open is vfs.FS's.
func (s *shield) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	f, err := s.FS.Open(name, o...)
	if err != nil || !isTable(name) {
		return f, err
	}
	return &readFile{f, s.ops}, nil
}

// settle makes the names in a directory durable. Pebble creates a manifest, then a marker that names it, and syncs their
// directory once: a crash could leave the marker alone.
func (s *shield) settle(dir string) {
	_ = s.mutate(func() error {
		f, err := s.FS.OpenDir(dir)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// ReuseForWrite is vfs.FS's. Pebble would take a log file that it does not need any more, but sample records may be in it.
func (s *shield) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := s.Remove(oldname); err != nil {
		return nil, err
	}
	return s.Create(newname, c)
}

// noFile is an empty file that is nowhere.
func noFile() vfs.File {
	f, _ := vfs.NewMem().Create("none", vfs.WriteCategoryUnspecified) // cannot fail in memory
	return f
}

// OpenDir is vfs.FS's; the directory is there to be synced.
func (s *shield) OpenDir(name string) (vfs.File, error) {
	f, err := s.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &shieldFile{File: f, s: s}, nil
}

// Rename is vfs.FS's.
func (s *shield) Rename(oldname, newname string) error {
	return s.mutate(func() error { return s.FS.Rename(oldname, newname) })
}

// Link is vfs.FS's.
func (s *shield) Link(oldname, newname string) error {
	return s.mutate(func() error { return s.FS.Link(oldname, newname) })
}

// Remove is vfs.FS's. Files that cannot be removed are garbage that opening tries again to remove.
func (s *shield) Remove(name string) error {
	if s.frozen() {
		return nil
	}
	if num, ok := logNumber(s.FS, name); ok && !s.log.release(num) {
		return nil
	}
	return s.FS.Remove(name)
}

// shieldFile is a log, manifest, marker or directory.
type shieldFile struct {
	vfs.File
	s    *shield
	size *atomic.Int64 // of a log, nil otherwise
}

func (f *shieldFile) Write(p []byte) (int, error) {
	if f.size != nil {
		f.size.Add(int64(len(p)))
	}
	return len(p), f.s.mutate(func() error {
		_, err := f.File.Write(p)
		return err
	})
}

func (f *shieldFile) WriteAt(p []byte, at int64) (int, error) {
	return len(p), f.s.mutate(func() error {
		_, err := f.File.WriteAt(p, at)
		return err
	})
}

func (f *shieldFile) Sync() error     { return f.s.mutate(f.File.Sync) }
func (f *shieldFile) SyncData() error { return f.s.mutate(f.File.SyncData) }

func (f *shieldFile) SyncTo(n int64) (all bool, err error) {
	err = f.s.mutate(func() (err error) {
		all, err = f.File.SyncTo(n)
		return err
	})
	return all, err
}

func (f *shieldFile) Close() error { return f.s.swallow(f.File.Close()) }

// Stat cannot fail: Pebble asks for the size of a log it reuses.
func (f *shieldFile) Stat() (vfs.FileInfo, error) {
	i, err := f.File.Stat()
	if err != nil {
		_ = f.s.swallow(err)
		return unknownInfo{}, nil
	}
	return i, nil
}

// unknownInfo stands for a file that cannot be asked.
type unknownInfo struct{}

func (unknownInfo) Name() string                { return "" }
func (unknownInfo) Size() int64                 { return 0 }
func (unknownInfo) Mode() fs.FileMode           { return 0 }
func (unknownInfo) ModTime() time.Time          { return time.Time{} }
func (unknownInfo) IsDir() bool                 { return false }
func (unknownInfo) Sys() any                    { return nil }
func (unknownInfo) DeviceID() (id vfs.DeviceID) { return id }

// tableFile is a table being written.
type tableFile struct{ vfs.File }

func paused(err error) error {
	if err != nil {
		time.Sleep(tablePause)
	}
	return err
}

func (f *tableFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, paused(err)
}

func (f *tableFile) Sync() error     { return paused(f.File.Sync()) }
func (f *tableFile) SyncData() error { return paused(f.File.SyncData()) }

// promptCleaner has Pebble give up log files as soon as it does not need them, rather than keep some for reuse: what shield keeps cannot
// be reused, and what it does not keep would be as long as the log may become. Pebble does so for a cleaner that wants
// the contents of files, as its ArchiveCleaner does. T is the type of a kind of file, which has no name outside Pebble.
type promptCleaner[T any] struct {
	pebble.ArchiveCleaner
	clean func(vfs.FS, T, string) error
}

func newPromptCleaner[T any](clean func(vfs.FS, T, string) error) promptCleaner[T] {
	return promptCleaner[T]{clean: clean}
}

// Clean is pebble.Cleaner's.
func (c promptCleaner[T]) Clean(fs vfs.FS, kind T, path string) error { return c.clean(fs, kind, path) }

// String is for Pebble's file of options.
func (c promptCleaner[T]) String() string { return "delete" }
