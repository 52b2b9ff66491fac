package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server"
	"github.com/telemetrydb/tsdb/server/limit"
	"github.com/telemetrydb/tsdb/server/publish"
)

// publishFlags are the settings of the doors for Ceilometer's publishers.
type publishFlags struct {
	udp, tcp, otlp     string
	secret, secretFile string
}

func (f *publishFlags) add(fl *pflag.FlagSet) {
	fl.StringVar(&f.udp, "publish-udp-listen", "", "UDP address to take samples of Ceilometer's udp publisher on, such as 127.0.0.1:4952; empty: none")
	fl.StringVar(&f.tcp, "publish-tcp-listen", "", "TCP address to take samples of Ceilometer's tcp publisher on, such as 127.0.0.1:4952; empty: none")
	fl.StringVar(&f.otlp, "otlp-listen", "", "address to take OTLP over HTTP, pushes and Ceilometer's http publisher on from whoever reaches it, such as 127.0.0.1:4318; empty: none")
	fl.StringVar(&f.secret, "telemetry-secret", "", "what samples of Ceilometer's publishers have to be signed with, its option telemetry_secret; better in a file; empty: signatures are not looked at")
	fl.StringVar(&f.secretFile, "telemetry-secret-file", "", "file with that secret")
}

// doors makes the doors, which the server and start put behind listeners.
func (f *publishFlags) doors(db *engine.DB, so *server.Options, source string) (*publish.Doors, error) {
	secret := f.secret
	if f.secretFile != "" {
		if secret != "" {
			return nil, errors.New("--telemetry-secret and --telemetry-secret-file exclude each other")
		}
		b, err := os.ReadFile(f.secretFile)
		if err != nil {
			return nil, fmt.Errorf("--telemetry-secret-file: %w", err)
		}
		if secret = strings.TrimRight(string(b), "\r\n"); secret == "" {
			return nil, errors.New("--telemetry-secret-file: the file is empty")
		}
	}
	return publish.New(so.Samples, &publish.Options{Secret: secret, Source: source, MaxBodyBytes: so.MaxBodyBytes / 4,
		Budget: limit.NewBudget(so.MaxBodies), Events: db.AppendEvents, Refused: so.Refused, Logger: so.Logger}), nil
}

// start opens what is to listen, and says where. wait returns when all have ended, having stored what came, which they do when ctx
// is done; one that ends before stops the rest.
func (f *publishFlags) start(ctx context.Context, d *publish.Doors, srv *server.Server, scheme string, stop func(), stdout io.Writer) (wait func() error, err error) {
	var opened []io.Closer
	var serve []func(m *publish.Messages) error
	defer func() {
		if err != nil {
			for _, c := range opened {
				err = errors.Join(err, c.Close())
			}
		}
	}()
	if f.udp != "" {
		conn, err := publish.ListenUDP(f.udp)
		if err != nil {
			return nil, err
		}
		opened = append(opened, conn)
		serve = append(serve, func(m *publish.Messages) error { return m.ServeUDP(ctx, conn) })
		fmt.Fprintf(stdout, "tsdb: taking samples on udp://%s\n", conn.LocalAddr())
	}
	if f.tcp != "" {
		ln, err := net.Listen("tcp", f.tcp)
		if err != nil {
			return nil, err
		}
		opened = append(opened, ln)
		serve = append(serve, func(m *publish.Messages) error { return m.ServeTCP(ctx, ln) })
		fmt.Fprintf(stdout, "tsdb: taking samples on tcp://%s\n", ln.Addr())
	}
	if f.otlp != "" {
		ln, err := net.Listen("tcp", f.otlp)
		if err != nil {
			return nil, err
		}
		opened = append(opened, ln)
		serve = append(serve, func(*publish.Messages) error { return srv.ServePublish(ctx, ln) })
		fmt.Fprintf(stdout, "tsdb: taking OTLP on %s://%s%s\n", scheme, ln.Addr(), publish.PathOTLP)
	}
	messages := d.Messages()
	ended := make(chan error, len(serve))
	for _, fn := range serve {
		go func() {
			ended <- fn(messages)
			stop()
		}()
	}
	return func() error {
		var errs []error
		for range serve {
			errs = append(errs, <-ended)
		}
		messages.Close()
		return errors.Join(errs...)
	}, nil
}
