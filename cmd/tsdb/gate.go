package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/telemetrydb/tsdb/server/auth"
)

// gate gives what requests have to pass.
func (f *serveFlags) gate(logger *slog.Logger) (*auth.Gate, error) {
	policy := auth.DefaultPolicy()
	if f.policyFile != "" {
		b, err := os.ReadFile(f.policyFile)
		if err != nil {
			return nil, err
		}
		if policy, err = auth.ParsePolicy(b); err != nil {
			return nil, fmt.Errorf("%s: %w", f.policyFile, err)
		}
	}
	a, err := f.authenticator(logger)
	if err != nil {
		return nil, fmt.Errorf("--auth %s: %w", f.auth, err)
	}
	return auth.NewGate(a, policy), nil
}

func (f *serveFlags) authenticator(logger *slog.Logger) (auth.Authenticator, error) {
	switch f.auth {
	case "basic":
		return auth.Basic{}, nil
	case "remoteuser":
		return auth.NewRemoteUser(f.remoteHeader, f.trustedProxies)
	case "none":
		for _, listen := range []string{f.listen, f.ceilometer.listen} {
			if !f.authNoneForce && listen != "" && !isLoopback(listen) {
				return nil, fmt.Errorf("everybody who reaches %s could do everything; --auth-none-force permits that", listen)
			}
		}
		return auth.None{}, nil
	case "keystone":
		return f.keystone.authenticator(logger)
	}
	return nil, errors.New("want basic, keystone, remoteuser or none")
}

func (k *keystoneFlags) authenticator(logger *slog.Logger) (auth.Authenticator, error) {
	password := k.password
	if k.passwordFile != "" {
		if password != "" {
			return nil, errors.New("--keystone-password and --keystone-password-file exclude each other")
		}
		b, err := os.ReadFile(k.passwordFile)
		if err != nil {
			return nil, err
		}
		password = strings.TrimRight(string(b), "\r\n")
	}
	if k.timeout <= 0 || k.cache <= 0 || k.negative <= 0 || k.tokens < 1 {
		return nil, errors.New("--keystone-timeout, --keystone-cache, --keystone-cache-negative and --keystone-cache-tokens have to be positive")
	}
	return auth.NewKeystone(auth.KeystoneOptions{
		URL: k.url, Username: k.username, Password: password, UserDomain: k.userDomain, Project: k.project, ProjectDomain: k.projectDomain,
		CAFile: k.caFile, Timeout: k.timeout, Cache: k.cache, Negative: k.negative, Tokens: k.tokens, Logger: logger,
	})
}

// isLoopback tells whether a listener's address can be reached from this machine alone.
func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
