package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certCheck is how often at most the files of a certificate are looked at.
const certCheck = time.Second

// TLSConfig gives a configuration that presents the certificate in certFile with the key in keyFile, both PEM, and takes them over
// anew when one of the files has changed. New files that are no good, and still not a second later, are logged, and the old
// certificate stays. A nil logger is silent. Connections need at least TLS 1.2.
func TLSConfig(certFile, keyFile string, logger *slog.Logger) (*tls.Config, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	c := &certificate{certFile: certFile, keyFile: keyFile, logger: logger}
	if err := c.load(); err != nil {
		return nil, err
	}
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}, nil
}

// certificate is a certificate and the files it comes from.
type certificate struct {
	certFile, keyFile string
	logger            *slog.Logger

	mu      sync.Mutex
	now     *tls.Certificate
	state   [2]fileState // of the files, when they were last loaded or given up
	bad     [2]fileState // of the files, when they were last no good: perhaps one was replaced, and the other is about to be
	checked time.Time
}

// fileState tells a file from its successor of the same name.
type fileState struct {
	modified time.Time
	size     int64
}

// stat looks at the files; one that is not there has no state.
func (c *certificate) stat() (state [2]fileState, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, ierr := os.Stat(name)
		if ierr != nil {
			err = errors.Join(err, ierr)
			continue
		}
		state[i] = fileState{info.ModTime(), info.Size()}
	}
	return state, err
}

// load takes the files over; on an error the old ones stay.
func (c *certificate) load() error {
	state, err := c.stat()
	if c.now != nil && state == c.state {
		return nil
	}
	var cert tls.Certificate
	if err == nil {
		cert, err = tls.LoadX509KeyPair(c.certFile, c.keyFile)
	}
	if err != nil && c.now != nil && state != c.bad {
		c.bad = state
		return nil
	}
	c.state = state
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	if c.now != nil {
		c.logger.Info("the certificate has changed", "file", c.certFile)
	}
	c.now = &cert
	return nil
}

// get gives the certificate for a connection that is being made.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= certCheck {
		c.checked = now
		if err := c.load(); err != nil {
			c.logger.Error("the certificate stays as it was", "err", err)
		}
	}
	return c.now, nil
}
