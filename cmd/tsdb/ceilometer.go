package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"github.com/telemetrydb/tsdb/server"
	"github.com/telemetrydb/tsdb/server/ceilometer"
	"github.com/telemetrydb/tsdb/server/samples"
)

// ceilometerFlags are the settings of Ceilometer's API.
type ceilometerFlags struct {
	listen, source, creator, policy, alarms string
	limit                                   int
	keep                                    time.Duration
	keepIDs                                 bool
	chosen                                  bool // listen was
}

func (f *ceilometerFlags) add(fl *pflag.FlagSet) {
	fl.StringVar(&f.listen, "ceilometer-listen", "127.0.0.1:8777", "address to serve Ceilometer's v2 API on; port 0 takes a free one, empty: none")
	fl.IntVar(&f.limit, "ceilometer-limit", 100, "how many elements Ceilometer's API answers with when it is not asked for a number")
	fl.StringVar(&f.source, "ceilometer-source", "openstack", "source of samples that are posted without one")
	fl.StringVar(&f.creator, "ceilometer-creator", "admin", "creator of resources and metrics that samples make; with Keystone USER:PROJECT")
	fl.StringVar(&f.policy, "ceilometer-archive-policy", "", "archive policy of these metrics; empty: by rule, or one that keeps all samples")
	fl.DurationVar(&f.keep, "ceilometer-keep", 0, "how long samples are kept by the archive policies that samples make; it counts when these are made; 0: for ever")
	fl.BoolVar(&f.keepIDs, "ceilometer-keep-message-ids", false, "keep the message ids of samples, and take one that comes again once")
	fl.StringVar(&f.alarms, "ceilometer-alarms", "", "URL of the alarm service that requests about alarms are sent on to; empty: there is none")
}

func (f *ceilometerFlags) check() error {
	if f.limit < 1 {
		return fmt.Errorf("--ceilometer-limit %d: want at least 1", f.limit)
	}
	if f.keep < 0 || f.keep > 0 && f.keep < time.Hour {
		return fmt.Errorf("--ceilometer-keep %v: want 0 or at least 1h", f.keep)
	}
	if f.alarms != "" && !strings.HasPrefix(f.alarms, "http://") && !strings.HasPrefix(f.alarms, "https://") {
		return fmt.Errorf("--ceilometer-alarms %q: want a URL such as http://aodh.example:8042", f.alarms)
	}
	return nil
}

func (f *ceilometerFlags) options() ceilometer.Options {
	return ceilometer.Options{DefaultLimit: f.limit, Source: f.source, Alarms: f.alarms}
}

func (f *ceilometerFlags) samples() *samples.Options {
	return &samples.Options{Creator: f.creator, ArchivePolicy: f.policy, Source: f.source, Keep: f.keep,
		KeepMessageIDs: f.keepIDs}
}

// start begins to serve, and says where; not if the default address is taken. wait returns when that has ended, which it does when ctx is done; if it ends before, it stops
// the rest.
func (f *ceilometerFlags) start(ctx context.Context, srv *server.Server, scheme string, stop func(), logger *slog.Logger, stdout io.Writer) (wait func() error, err error) {
	if f.listen == "" {
		return func() error { return nil }, nil
	}
	ln, err := net.Listen("tcp", f.listen)
	if errors.Is(err, syscall.EADDRINUSE) && !f.chosen { // by another tsdb, or a Ceilometer: nobody may miss it
		logger.Warn("Ceilometer's API is not served: --ceilometer-listen gives another address, or none", "err", err)
		return func() error { return nil }, nil
	}
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(stdout, "tsdb: serving Ceilometer's API on %s://%s\n", scheme, ln.Addr())
	ended := make(chan error, 1)
	go func() {
		ended <- srv.ServeCeilometer(ctx, ln)
		stop()
	}()
	return func() error { return <-ended }, nil
}
