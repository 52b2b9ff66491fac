// Package ferret starts FerretDB, which speaks MongoDB's protocol and keeps its data in SQLite, so that tests can show that what talks to
// MongoDB does so. It filters after reading everything: no figure of it says anything about MongoDB.
package ferret

import (
	"context"
	"errors"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// Start runs a server on loopback until the test ends, and returns its URI.
func Start(t testing.TB) string {
	t.Helper()
	f, err := server("127.0.0.1:0", t.TempDir())
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

func server(address, dir string) (*ferretdb.FerretDB, error) {
	return ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: address},
		Handler:   "sqlite",
		SQLiteURL: "file:" + dir + "/",
	})
}

// Mongod is the main function of what takes mongod's place in tests: it understands --dbpath DIR and --port PORT, and serves until SIGTERM.
func Mongod(args []string) error {
	values := map[string]string{}
	for i, a := range args[:max(0, len(args)-1)] {
		values[a] = args[i+1]
	}
	f, err := server("127.0.0.1:"+values["--port"], values["--dbpath"])
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := f.Run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
