package statsd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/ingest"
)

// Options configures New. Every zero field but ResourceID means the default named beside it.
type Options struct {
	// ResourceID is the resource that all metrics belong to, of type generic, made if there is none. Needed.
	ResourceID engine.UUID
	// Creator is whose resource and metrics these are. Default: nobody's.
	Creator string
	// ArchivePolicy is that of new metrics. Default: by rule.
	ArchivePolicy string
	// FlushDelay is the time between two flushes. Default 10s, at least 10ms.
	FlushDelay time.Duration
	// MaxMetrics is how many metrics are gathered between two flushes. Default 100000.
	MaxMetrics int
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Logger gets a line when a flush fails. Default: silent.
	Logger *slog.Logger
	// Refused counts what is not stored. Default: nothing does.
	Refused *ingest.Refused
}

func (o Options) withDefaults() (Options, error) {
	o.FlushDelay = cmp.Or(o.FlushDelay, 10*time.Second)
	o.MaxMetrics = cmp.Or(o.MaxMetrics, 100_000)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var errs []error
	if o.ResourceID == (engine.UUID{}) {
		errs = append(errs, errors.New("statsd: ResourceID: want the id of a resource"))
	}
	if o.FlushDelay < 10*time.Millisecond {
		errs = append(errs, fmt.Errorf("statsd: FlushDelay %v: want at least 10ms", o.FlushDelay))
	}
	if o.MaxMetrics < 1 {
		errs = append(errs, fmt.Errorf("statsd: MaxMetrics %d: want at least 1", o.MaxMetrics))
	}
	return o, errors.Join(errs...)
}

// Listener gathers datagrams and stores them from time to time.
type Listener struct {
	db       *engine.DB
	o        Options
	gathered map[string]gathered // by metric; of Serve's goroutine
	buf      [maxDatagram]byte
}

// gathered is what came of a metric since the last flush.
type gathered struct {
	value float64
	at    int64 // of the last line, nanoseconds since the Unix epoch
	lines int
}

const (
	maxDatagram   = 64 << 10 // more does not fit into UDP
	receiveBuffer = 4 << 20  // of the socket: what may come while a flush runs
	protocol      = "statsd"
)

// New returns a listener that stores into db. The error names every wrong option.
func New(db *engine.DB, o Options) (*Listener, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Listener{db: db, o: o, gathered: map[string]gathered{}}, nil
}

// Serve takes datagrams from conn until ctx is done, then stores what it has and returns nil, or the error that ended it before.
// It closes conn.
func (l *Listener) Serve(ctx context.Context, conn net.PacketConn) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	if c, ok := conn.(interface{ SetReadBuffer(int) error }); ok {
		_ = c.SetReadBuffer(receiveBuffer) // the system may allow less
	}
	next := time.Now().Add(l.o.FlushDelay)
	for {
		err := conn.SetReadDeadline(next)
		n := 0
		if err == nil {
			n, _, err = conn.ReadFrom(l.buf[:])
		}
		var timeout net.Error
		switch {
		case ctx.Err() != nil:
			l.flush(context.WithoutCancel(ctx))
			return nil
		case err == nil:
			l.take(string(l.buf[:n]))
		case !errors.As(err, &timeout) || !timeout.Timeout():
			l.flush(ctx)
			return fmt.Errorf("statsd: %w", err)
		}
		if now := time.Now(); !now.Before(next) {
			l.flush(ctx)
			next = now.Add(l.o.FlushDelay)
		}
	}
}

// take reads a datagram: lines, of which empty ones say nothing.
func (l *Listener) take(datagram string) {
	now := l.o.Now().UnixNano()
	for s := range strings.SplitSeq(datagram, "\n") {
		if s = strings.TrimSuffix(s, "\r"); s == "" {
			continue
		}
		if err := l.add(s, now); err != nil {
			l.o.Refused.Add(protocol, err.Error(), 1)
		}
	}
}

func (l *Listener) add(s string, now int64) error {
	one, err := parse(s)
	if err != nil {
		return err
	}
	g, known := l.gathered[one.metric]
	if !known && len(l.gathered) >= l.o.MaxMetrics {
		return errMany
	}
	if one.count {
		one.value += g.value
	}
	l.gathered[one.metric] = gathered{one.value, now, g.lines + 1}
	return nil
}

// flush stores what was gathered and forgets it, whether or not it could be stored.
func (l *Listener) flush(ctx context.Context) {
	if len(l.gathered) == 0 {
		return
	}
	w := &ingest.Write{
		Type:      "generic",
		Policy:    l.o.ArchivePolicy,
		Resources: []ingest.Resource{{ID: l.o.ResourceID, Original: l.o.ResourceID.String()}},
		Now:       l.o.Now(),
	}
	if l.o.Creator != "" {
		w.Creator = &l.o.Creator
	}
	w.Skip = func(metric string, _ int, err error) {
		l.o.Refused.Add(protocol, ingest.Reason(err), l.gathered[metric].lines)
		l.o.Logger.Error("statsd: metric refused", "metric", metric, "err", err)
	}
	for metric, g := range l.gathered {
		w.Samples = append(w.Samples, ingest.Sample{Metric: metric, Time: g.at, Value: g.value})
	}
	res, err := w.Store(ctx, l.db)
	if err != nil {
		l.o.Refused.Add(protocol, ingest.Reason(err), len(w.Samples))
		l.o.Logger.Error("statsd: nothing was stored", "metrics", len(w.Samples), "err", err)
	}
	l.o.Refused.Add(protocol, "late", res.Late)
	clear(l.gathered)
}
