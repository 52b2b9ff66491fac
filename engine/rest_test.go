package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestClosedSmall looks at what a database takes that never flushed before it was closed: what repeats itself is compressed, log files are gone.
func TestClosedSmall(t *testing.T) {
	mem := vfs.NewMem()
	db, err := Open("db", &Options{FS: mem})
	if err != nil {
		t.Fatal(err)
	}
	var contexts []Context
	for i := range 200 {
		contexts = append(contexts, Context{Metadata: fmt.Appendf(nil, `{"same":%q,"state":%d}`, strings.Repeat("as before ", 500), i)})
	}
	if _, err := db.InternContexts(context.Background(), contexts); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := mem.List("db")
	if err != nil {
		t.Fatal(err)
	}
	var bytes, given int64
	for _, c := range contexts {
		given += int64(len(c.Metadata))
	}
	for _, name := range names {
		info, err := mem.Stat(mem.PathJoin("db", name))
		if err != nil {
			t.Fatal(err)
		}
		bytes += info.Size()
	}
	if bytes > given/4 {
		t.Errorf("%d bytes in %v for %d of metadata that are nearly the same", bytes, names, given)
	}
}
