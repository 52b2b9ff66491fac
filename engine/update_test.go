package engine

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// slowFS is a file system whose syncs of log files wait while it is held.
type slowFS struct {
	vfs.FS
	held atomic.Pointer[chan struct{}]
}

type slowFile struct {
	vfs.File
	fs *slowFS
}

func (fs *slowFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, c)
	if err == nil && strings.HasSuffix(name, ".log") {
		f = slowFile{f, fs}
	}
	return f, err
}

func (fs *slowFS) hold() (release func()) {
	gate := make(chan struct{})
	fs.held.Store(&gate)
	return func() { fs.held.Store(nil); close(gate) }
}

func (f slowFile) wait() {
	if gate := f.fs.held.Load(); gate != nil {
		<-*gate
	}
}

func (f slowFile) Sync() error                          { f.wait(); return f.File.Sync() }
func (f slowFile) SyncData() error                      { f.wait(); return f.File.SyncData() }
func (f slowFile) SyncTo(n int64) (all bool, err error) { f.wait(); return f.File.SyncTo(n) }

// TestUpdateTellsWhatIsDurable: while a transaction waits for the disk others go on and see what it did, but none of them returns
// before that is durable, be it that it did nothing because of it.
func TestUpdateTellsWhatIsDurable(t *testing.T) {
	fs := &slowFS{FS: vfs.NewMem()}
	db, err := Open("db", &Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	release := fs.hold()
	var durable atomic.Bool
	type outcome struct {
		err   error
		early bool
	}
	ran, ended := make(chan struct{}), make(chan outcome)
	start := func(fn func(tx *Tx) error) {
		go func() {
			err := db.Update(context.Background(), func(tx *Tx) error {
				err := fn(tx)
				ran <- struct{}{}
				return err
			})
			ended <- outcome{err, !durable.Load()}
		}()
		<-ran // so that the next one is next
	}
	create := func(tx *Tx) error { return tx.CreateResource(&Resource{ID: UUID{1}, Type: genericType}) }
	start(create)
	start(func(tx *Tx) error { _, err := tx.Resource(UUID{1}); return err }) // changes nothing
	start(create)                                                            // fails
	start(func(tx *Tx) error { return tx.CreateResource(&Resource{ID: UUID{2}, Type: genericType}) })
	time.Sleep(10 * time.Millisecond) // for who returns early
	durable.Store(true)
	release()
	exists := 0
	for range 4 {
		o := <-ended
		if errors.Is(o.err, ErrExists) {
			exists++
		} else if o.err != nil {
			t.Error(o.err)
		}
		if o.early {
			t.Errorf("an update told %v before it was durable", o.err)
		}
	}
	if exists != 1 {
		t.Errorf("%d updates found the resource", exists)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
