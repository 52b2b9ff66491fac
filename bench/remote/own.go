package remote

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/telemetrydb/tsdb/bench/child"
	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/target"
)

// Door is one of the addresses that this project's server listens on.
type Door int

// The doors.
const (
	Gnocchi Door = iota
	Ceilometer
)

// Own is this project's server as a target, which embeds it, asked at one of its doors as the user admin.
type Own struct {
	Server
	dir    string
	door   Door
	o      target.Options
	binary string
}

// Open starts the server on the store in dir.
func (s *Own) Open(dir string, door Door, o target.Options) (err error) {
	if err := Require(o, true); err != nil {
		return err
	}
	s.Product, s.dir, s.door, s.o = "tsdb", dir, door, o
	if s.binary, err = served.Find(); err != nil {
		return err
	}
	return s.start()
}

func (s *Own) start() error {
	gnocchi, err := child.FreeAddress()
	if err != nil {
		return err
	}
	address, ceilometer, health := gnocchi, "", "/healthz"
	if s.door == Ceilometer {
		if ceilometer, err = child.FreeAddress(); err != nil {
			return err
		}
		address, health = ceilometer, "/"
	}
	sync := "interval"
	if s.o.Fsync {
		sync = "always"
	}
	header := http.Header{"Authorization": {"Basic YWRtaW46"}, "Accept": {"application/json"}}
	return s.Start(s.dir, address, health, header, s.binary, "serve", "--data", filepath.Join(s.dir, "data"), "--listen", gnocchi,
		"--ceilometer-listen", ceilometer, "--sync", sync, "--log-level", "warn")
}

// Settle stops the server, which brings its data to their form at rest, and starts it again.
func (s *Own) Settle() error {
	if err := s.Close(); err != nil {
		return err
	}
	return s.start()
}

// Version implements target.Versioned.
func (s *Own) Version() (string, error) {
	text, err := exec.Command(s.binary, "version").Output()
	return strings.TrimSpace(string(text)), err
}
