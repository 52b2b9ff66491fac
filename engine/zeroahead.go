package engine

import (
	"errors"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Syncing what was written behind the end of a file also has the file system write the file's new size and place, through
// its journal: on ext4 that doubles the time of a small sync. So a log that is synced often is zeroed ahead of what is written.
const (
	zeroAhead     = 256 << 10 // bytes
	syncsToZeroes = 8         // so many syncs since the zeroes were used up, or since the file was made, ask for more
)

var zeroes = make([]byte, zeroAhead)

// zeroedFile is a file of the log that is written from its beginning to its end, by one goroutine at a time. Behind the end there may be
// zeroes, which readers of the log take for its end, until it is closed.
type zeroedFile struct {
	vfs.File
	cut    func(size int64) error
	offset int64        // where the next write goes
	zeroed int64        // where the zeroes end; not above offset: there are none
	syncs  atomic.Int32 // since the file was made or zeroed
}

// newZeroedFile returns f, a new file, as it is if it cannot be cut off.
func newZeroedFile(f vfs.File) vfs.File {
	t, ok := f.(interface{ Truncate(size int64) error })
	if !ok {
		return f
	}
	return &zeroedFile{File: f, cut: t.Truncate}
}

func (f *zeroedFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.offset += int64(n)
	if err == nil && f.offset > f.zeroed && f.syncs.Load() >= syncsToZeroes {
		f.syncs.Store(0)
		// A disk that has no place for zeroes may have place for what is yet to be written, and says itself when it has not.
		if n, err := f.File.WriteAt(zeroes, f.offset); err == nil {
			f.zeroed = f.offset + int64(n)
		}
	}
	return n, err
}

func (f *zeroedFile) Sync() error {
	f.syncs.Add(1)
	return f.File.Sync()
}

func (f *zeroedFile) SyncData() error {
	f.syncs.Add(1)
	return f.File.SyncData()
}

// Close cuts off the zeroes.
func (f *zeroedFile) Close() error {
	var err error
	if f.zeroed > f.offset {
		err = f.cut(f.offset)
	}
	return errors.Join(err, f.File.Close())
}
