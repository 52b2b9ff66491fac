package remote

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/telemetrydb/tsdb/bench/child"
	"github.com/telemetrydb/tsdb/bench/target"
)

// logFolder is where a started server's output goes, in the store's directory.
const logFolder = "log"

// ErrURI refuses servers that others run.
var ErrURI = errors.New("starts a server of its own, and does not use the one that a URI names")

// Server is the server of a target, which embeds it. The zero value is one that isn't started.
type Server struct {
	Product string
	process *child.Process
	mu      sync.Mutex
	base    string
	header  http.Header
	clients [target.MaxWriters + 1]*Client // of the writers, and the one that reads
}

// Start starts the server that answers at the address on the store in dir, and waits until GET healthPath is answered well. header goes with each
// request.
func (s *Server) Start(dir, address, healthPath string, header http.Header, binary string, args ...string) (err error) {
	s.base, s.header, s.clients = "http://"+address, header, [target.MaxWriters + 1]*Client{}
	s.process, err = child.Start(child.Config{
		Binary: binary, Args: args, Log: filepath.Join(dir, logFolder, "server.log"), Healthy: child.HTTP(s.base + healthPath),
		StartLimit: 5 * time.Minute, // recovery after a kill takes its time
	})
	return err
}

// Reader is the client of everything but the writers' samples, which may come at the same time.
func (s *Server) Reader() *Client { return s.Client(target.MaxWriters) }

// Client is the client of a writer. It is made when it is first asked for.
func (s *Server) Client(writer int) *Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients[writer] == nil {
		c := NewClient(s.Product, s.base, s.header)
		c.ended = s.ended
		s.clients[writer] = c
	}
	return s.clients[writer]
}

// ended waits for the process' end, not long, and then says how it ended.
func (s *Server) ended(wait time.Duration) error {
	select {
	case <-s.process.Ended():
	case <-time.After(wait):
	}
	return s.process.Check()
}

// Processes implements target.Server.
func (s *Server) Processes() []int {
	if s.process == nil || s.process.State() != nil {
		return nil
	}
	return []int{s.process.PID()}
}

// NotAtRest implements target.Rebuilder: what the server prints is no data.
func (s *Server) NotAtRest() []string { return []string{logFolder} }

// Close stops the server. One that was not started is no error.
func (s *Server) Close() error {
	if s.process == nil {
		return nil
	}
	for _, c := range s.clients {
		if c != nil {
			c.Close()
		}
	}
	err := s.process.Stop()
	s.process = nil
	return err
}

// Require refuses options that a target whose server is its own, and which syncs only if it can, doesn't have.
func Require(o target.Options, canSync bool) error {
	switch {
	case o.URI != "":
		return ErrURI
	case o.Fsync && !canSync:
		return fmt.Errorf("has no fsync for each batch")
	}
	return nil
}
