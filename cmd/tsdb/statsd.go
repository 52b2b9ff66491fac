package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/pflag"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/ingest"
	"github.com/telemetrydb/tsdb/server/statsd"
)

// statsdFlags are the settings of the statsd listener.
type statsdFlags struct {
	listen, resource, creator, policy string
	delay                             time.Duration
}

func (f *statsdFlags) add(fl *pflag.FlagSet) {
	fl.StringVar(&f.listen, "statsd-listen", "", "UDP address to take statsd's datagrams on, such as 127.0.0.1:8125; empty: none")
	fl.StringVar(&f.resource, "statsd-resource-id", "", "UUID of the resource that metrics from statsd belong to")
	fl.StringVar(&f.creator, "statsd-creator", "", "creator of that resource and its metrics; with Keystone USER:PROJECT")
	fl.StringVar(&f.policy, "statsd-archive-policy", "", "archive policy of metrics from statsd; empty: by rule")
	fl.DurationVar(&f.delay, "statsd-flush-delay", 10*time.Second, "time between two flushes of what came from statsd")
}

// options turns the settings into those of the listener; nil: there is to be none.
func (f *statsdFlags) options() (*statsd.Options, error) {
	if f.listen == "" {
		return nil, nil
	}
	if f.resource == "" {
		return nil, errors.New("--statsd-listen needs --statsd-resource-id")
	}
	id, err := engine.ParseUUID(f.resource)
	if err != nil {
		return nil, fmt.Errorf("--statsd-resource-id %q: want a UUID", f.resource)
	}
	if f.delay < 10*time.Millisecond {
		return nil, fmt.Errorf("--statsd-flush-delay %v: want at least 10ms", f.delay)
	}
	return &statsd.Options{ResourceID: id, Creator: f.creator, ArchivePolicy: f.policy, FlushDelay: f.delay}, nil
}

// start begins to listen, and says where. wait returns when the listener has ended, which it does, having stored what came, when
// ctx is done.
func (f *statsdFlags) start(ctx context.Context, db *engine.DB, refused *ingest.Refused, logger *slog.Logger, stdout io.Writer) (wait func() error, err error) {
	o, err := f.options()
	if o == nil || err != nil {
		return func() error { return nil }, err
	}
	o.Refused, o.Logger = refused, logger
	l, err := statsd.New(db, *o)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenPacket("udp", f.listen)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(stdout, "tsdb: taking statsd on udp://%s\n", conn.LocalAddr())
	ended := make(chan error, 1)
	go func() { ended <- l.Serve(ctx, conn) }()
	return func() error { return <-ended }, nil
}
