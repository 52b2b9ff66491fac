// Package ferret starts FerretDB, which speaks MongoDB's protocol and keeps its data in SQLite, so that tests can show that what talks to
// MongoDB does so. It filters after reading everything: no figure of it says anything about MongoDB.
package ferret

import (
	"context"
	"testing"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// Start runs a server on loopback until the test ends, and returns its URI.
func Start(t testing.TB) string {
	t.Helper()
	f, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: "127.0.0.1:0"},
		Handler:   "sqlite",
		SQLiteURL: "file:" + t.TempDir() + "/",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Error("FerretDB does not stop")
		}
	})
	return f.MongoDBURI()
}
