package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v4/mem"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/server"
	"github.com/telemetrydb/tsdb/server/gnocchi"
	"github.com/telemetrydb/tsdb/server/ingest"
	"github.com/telemetrydb/tsdb/server/samples"
)

func serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve a database",
		Long: "Serve a database, which is created if there is none. With --auth basic, which is the default, anybody who reaches\n" +
			"the listener may read and write under any name, so listen on the loopback interface or behind something that\n" +
			"authenticates. Every flag is also a key of the configuration file: tsdb config prints one.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.complete(cmd.Flags()); err != nil {
				return err
			}
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.add(cmd.Flags())
	return cmd
}

// complete takes over the configuration file and checks all settings.
func (f *serveFlags) complete(fl *pflag.FlagSet) error {
	if f.config != "" {
		if err := readConfig(f.config, fl); err != nil {
			return err
		}
	}
	f.ceilometer.chosen = fl.Changed("ceilometer-listen")
	logger, err := f.logger(io.Discard)
	if err != nil {
		return err
	}
	if _, err := f.statsd.options(); err != nil {
		return err
	}
	_, _, err = f.options(logger)
	return err
}

func (f *serveFlags) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	logger, err := f.logger(stderr)
	if err != nil {
		return err
	}
	eo, so, err := f.options(logger)
	if err != nil {
		return err
	}
	defer holdHeap()()
	db, err := engine.Open(f.data, eo)
	if err != nil {
		return fmt.Errorf("opening %s: %w", f.data, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if !f.noDefaultPolicies {
		if err := gnocchi.CreateDefaults(ctx, db); err != nil {
			return fmt.Errorf("creating the default archive policies: %w", err)
		}
	}
	ln, err := net.Listen("tcp", f.listen)
	if err != nil {
		return err
	}
	scheme := "http"
	if so.TLS != nil {
		scheme = "https"
	}
	so.Refused = ingest.NewRefused()
	so.Samples = samples.New(db, f.ceilometer.samples())
	doors, err := f.publish.doors(db, so, f.ceilometer.source)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	so.Publish, so.Ceilometer.Beside = doors.Handler(), doors.Beside(so.Gate)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	statsdEnded, err := f.statsd.start(ctx, db, so.Refused, logger, stdout)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	srv := server.New(db, so)
	publishEnded, err := f.publish.start(ctx, doors, srv, scheme, stop, stdout)
	if err != nil {
		stop()
		return errors.Join(err, ln.Close(), statsdEnded())
	}
	ceilometerEnded, err := f.ceilometer.start(ctx, srv, scheme, stop, logger, stdout)
	if err != nil {
		stop()
		return errors.Join(err, ln.Close(), publishEnded(), statsdEnded())
	}
	fmt.Fprintf(stdout, "tsdb: serving %s on %s://%s\n", f.data, scheme, ln.Addr())
	err = srv.Serve(ctx, ln)
	stop()
	return errors.Join(err, ceilometerEnded(), publishEnded(), statsdEnded())
}

// options turns the settings into those of engine and server.
func (f *serveFlags) options(logger *slog.Logger) (*engine.Options, *server.Options, error) {
	eo := &engine.Options{SyncEvery: f.syncEvery, KeepEnded: f.keepEnded, KeepRevisions: f.keepRevisions, KeepEvents: f.keepEvents, Logger: logger}
	switch f.sync {
	case "always":
	case "interval":
		eo.Sync = engine.SyncInterval
	default:
		return nil, nil, fmt.Errorf("--sync %q: want always or interval", f.sync)
	}
	if f.keepEnded < 0 || f.keepRevisions < 0 || f.keepEvents < 0 {
		return nil, nil, errors.New("--keep-ended, --keep-revisions, --keep-events: want 0 or more")
	}
	var err error
	if f.memory == "auto" {
		eo.MemoryBytes = memoryForMachine()
	} else if eo.MemoryBytes, err = parseBytes(f.memory); err != nil {
		return nil, nil, fmt.Errorf("--memory: %w", err)
	}
	so, err := f.serverOptions(logger)
	return eo, so, err
}

// serverOptions turns the settings into those of the server.
func (f *serveFlags) serverOptions(logger *slog.Logger) (*server.Options, error) {
	so := &server.Options{MaxLimit: f.maxLimit, MaxRequests: f.maxRequests, ClientShare: f.clientShare, Patience: f.patience, CORSOrigins: f.corsOrigins,
		Prefix: f.prefix, ProxyHeaders: f.proxyHeaders, Grace: f.grace, Logger: logger,
		Query: query.Limits{Series: f.querySeries, Points: f.queryPoints, Time: f.queryTime}}
	var queryText, header int64
	for _, size := range []struct {
		flag, text string
		into       *int64
	}{
		{"--max-body", f.maxBody, &so.MaxBodyBytes}, {"--max-bodies", f.maxBodies, &so.MaxBodies},
		{"--max-query", f.maxQuery, &queryText}, {"--max-header", f.maxHeader, &header},
		{"--query-memory", f.queryMemory, &so.Query.Bytes},
	} {
		var err error
		if *size.into, err = parseBytes(size.text); err != nil {
			return nil, fmt.Errorf("%s: %w", size.flag, err)
		}
	}
	so.MaxQueryBytes, so.MaxHeaderBytes = int(queryText), int(header)
	switch {
	case f.maxLimit < 1:
		return nil, fmt.Errorf("--max-limit %d: want at least 1", f.maxLimit)
	case f.clientShare < 1 || f.clientShare > 100:
		return nil, fmt.Errorf("--client-share %d: want 1 to 100", f.clientShare)
	case f.maxRequests < 1:
		return nil, fmt.Errorf("--max-requests %d: want at least 1", f.maxRequests)
	case so.MaxBodies < so.MaxBodyBytes:
		return nil, fmt.Errorf("--max-bodies %s: want at least --max-body, %s", f.maxBodies, f.maxBody)
	case max(queryText, header) > 1<<30:
		return nil, errors.New("--max-query, --max-header: want at most 1GiB")
	case f.querySeries < 1 || f.queryPoints < 1 || f.queryTime <= 0:
		return nil, errors.New("--query-series, --query-points, --query-time: want at least 1")
	case f.patience <= 0 || f.grace < 0:
		return nil, errors.New("--patience, --grace: want a positive time")
	case f.prefix != "" && (f.prefix[0] != '/' || strings.ContainsAny(f.prefix, "?#% ")):
		return nil, fmt.Errorf("--prefix %q: want a path such as /metric", f.prefix)
	case (f.tlsCert == "") != (f.tlsKey == ""):
		return nil, errors.New("--tls-cert and --tls-key need each other")
	}
	var err error
	if f.tlsCert != "" {
		if so.TLS, err = server.TLSConfig(f.tlsCert, f.tlsKey, logger); err != nil {
			return nil, err
		}
	}
	if err := f.ceilometer.check(); err != nil {
		return nil, err
	}
	so.Ceilometer = f.ceilometer.options()
	so.Gate, err = f.gate(logger)
	return so, err
}

// memoryForMachine is the budget of --memory auto: enough for a million metrics where there is room for them, and not so
// much that a small machine or its neighbours feel it. It is a bound: a small database takes what it needs.
func memoryForMachine() int64 {
	const least, most = 64 << 20, 1 << 30
	m, err := mem.VirtualMemory()
	if err != nil {
		return least
	}
	return min(max(int64(m.Total/16), least), most)
}

func (f *serveFlags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level %q: want debug, info, warn or error", f.logLevel)
	}
	o := &slog.HandlerOptions{Level: level}
	switch f.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, fmt.Errorf("--log-format %q: want text or json", f.logFormat)
}

// parseBytes reads a size: a number with an optional unit KiB, MiB or GiB.
func parseBytes(s string) (int64, error) {
	digits, shift := s, 0
	for unit, n := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30} {
		if rest, ok := strings.CutSuffix(s, unit); ok {
			digits, shift = rest, n
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || n < 1 || n > 1<<62>>shift {
		return 0, fmt.Errorf("%q is no size: want a number of bytes, or one with KiB, MiB or GiB behind it", s)
	}
	return n << shift, nil
}
