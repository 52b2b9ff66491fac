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
	"time"

	"github.com/shirou/gopsutil/v4/mem"
	"github.com/spf13/cobra"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server"
	"github.com/telemetrydb/tsdb/server/gnocchi"
)

// serveFlags are the settings of tsdb serve.
type serveFlags struct {
	data, listen, sync  string
	syncEvery, grace    time.Duration
	memory, maxBody     string
	maxLimit            int
	noDefaultPolicies   bool
	logFormat, logLevel string
}

func serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve a database",
		Long: "Serve a database, which is created if there is none. Anybody who reaches the listener may read and write under\n" +
			"any name, so listen on the loopback interface or behind something that authenticates.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.data, "data", "./tsdb-data", "directory of the database")
	fl.StringVar(&f.listen, "listen", "127.0.0.1:8041", "address to listen on; port 0 takes a free one")
	fl.StringVar(&f.sync, "sync", "always", "when a write is on disk: always (before it is answered) or interval (soon after)")
	fl.DurationVar(&f.syncEvery, "sync-every", time.Second, "what a power loss may take with --sync interval")
	fl.StringVar(&f.memory, "memory", "auto", "memory for samples not yet sealed, caches and buffers; auto: a sixteenth of the machine's, 64MiB to 1GiB")
	fl.StringVar(&f.maxBody, "max-body", "64MiB", "largest request body")
	fl.IntVar(&f.maxLimit, "max-limit", 1000, "most items on a page of a list")
	fl.BoolVar(&f.noDefaultPolicies, "no-default-policies", false, "do not create archive policies in an empty database")
	fl.DurationVar(&f.grace, "grace", 10*time.Second, "time for requests under way when the server stops")
	fl.StringVar(&f.logFormat, "log-format", "text", "text or json")
	fl.StringVar(&f.logLevel, "log-level", "info", "debug (with a line for each request), info, warn or error")
	return cmd
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
	fmt.Fprintf(stdout, "tsdb: serving %s on http://%s\n", f.data, ln.Addr())
	return server.New(db, so).Serve(ctx, ln)
}

// options turns the flags into those of engine and server.
func (f *serveFlags) options(logger *slog.Logger) (*engine.Options, *server.Options, error) {
	eo := &engine.Options{SyncEvery: f.syncEvery, Logger: logger}
	switch f.sync {
	case "always":
	case "interval":
		eo.Sync = engine.SyncInterval
	default:
		return nil, nil, fmt.Errorf("--sync %q: want always or interval", f.sync)
	}
	var err error
	if f.memory == "auto" {
		eo.MemoryBytes = memoryForMachine()
	} else if eo.MemoryBytes, err = parseBytes(f.memory); err != nil {
		return nil, nil, fmt.Errorf("--memory: %w", err)
	}
	so := &server.Options{MaxLimit: f.maxLimit, Grace: f.grace, Logger: logger}
	if so.MaxBodyBytes, err = parseBytes(f.maxBody); err != nil {
		return nil, nil, fmt.Errorf("--max-body: %w", err)
	}
	if f.maxLimit < 1 {
		return nil, nil, fmt.Errorf("--max-limit %d: want at least 1", f.maxLimit)
	}
	return eo, so, nil
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
