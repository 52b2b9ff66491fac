package engine

import (
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestZeroesAhead looks at the log on a real file system: it is zeroed ahead while it is synced often, what a kill leaves of it is read up to
// the zeroes, and closing it cuts them off.
func TestZeroesAhead(t *testing.T) {
	t.Chdir(t.TempDir())
	l := newLoad(t, &Options{FS: vfs.Default, MemoryBytes: 8 << 20}, 2)
	for i := range 4 * syncsToZeroes {
		l.mustAppend(i % 2)
	}
	written := l.db.log.active.size.Load()
	num := l.db.log.active.num
	if size := fileSize(t, vfs.Default, num); size < written+zeroAhead/2 {
		t.Errorf("%d bytes of a log of %d are written", written, size)
	}
	if err := os.CopyFS("killed", os.DirFS("db")); err != nil {
		t.Fatal(err)
	}
	l.rotate()
	if size := fileSize(t, vfs.Default, num); size >= written+zeroAhead/2 {
		t.Errorf("%d bytes of a log of %d are written after it was closed", written, size)
	}
	if err := l.db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, move := range [][2]string{{"db", "closed"}, {"killed", "db"}} {
		if err := os.Rename(move[0], move[1]); err != nil {
			t.Fatal(err)
		}
	}
	l.reopen(vfs.Default)
}
