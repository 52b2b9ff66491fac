// Hostcollector is a small telemetry collector with the database built in: it samples this host each second
// and answers "mean CPU per minute" from its own directory.
//
//	go run ./examples/hostcollector -for 10s
//	go run ./examples/hostcollector -answer -metric memory.used_percent
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hostcollector:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("hostcollector", flag.ContinueOnError)
	dir := flags.String("data", "data/hostcollector", "directory of the database")
	every := flags.Duration("every", time.Second, "time between samples")
	limit := flags.Duration("for", 0, "how long to sample; 0: until interrupted")
	answer := flags.Bool("answer", false, "only answer from what is stored")
	metric := flags.String("metric", "cpu.percent", "metric to answer about")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *every <= 0 {
		return fmt.Errorf("-every %v: want a positive duration", *every)
	}

	host, err := os.Hostname()
	if err != nil {
		return err
	}
	db, err := engine.Open(*dir, nil)
	if err != nil {
		return err
	}
	defer func() {
		if e := db.Close(); err == nil {
			err = e
		}
	}()
	c, err := newCollector(ctx, db, host)
	if err != nil {
		return err
	}
	if !*answer {
		sampling := ctx
		if *limit > 0 {
			var cancel context.CancelFunc
			sampling, cancel = context.WithTimeout(ctx, *limit)
			defer cancel()
		}
		if err := c.collect(sampling, *every, sampleHost); err != nil {
			return err
		}
	}
	// The signal that ended the sampling must not end the answer.
	return c.print(context.WithoutCancel(ctx), out, *metric)
}

// print writes the metric's mean and maximum of each minute.
func (c *collector) print(ctx context.Context, out io.Writer, metric string) error {
	mean, peak, err := c.perMinute(ctx, metric)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-20s  %12s  %12s\n", "minute (UTC)", "mean", "max")
	for i, t := range mean.Times {
		fmt.Fprintf(out, "%-20s  %12.3f  %12.3f\n", time.Unix(0, t).UTC().Format("2006-01-02 15:04"), mean.Values[i], peak.Values[i])
	}
	s := c.db.Stats()
	_, err = fmt.Fprintf(out, "%d metrics, %d samples stored by this run\n", s.Metrics, s.Samples)
	return err
}

// perMinute reads the stored minutes of a metric. Nothing is computed here: the database keeps them up to date.
func (c *collector) perMinute(ctx context.Context, metric string) (mean, peak engine.Points, err error) {
	m, err := c.db.ResourceMetric(c.host, metric)
	if err != nil {
		return mean, peak, err
	}
	v, err := c.db.View(m.Ref)
	if err != nil {
		return mean, peak, err
	}
	defer v.Close()
	points, err := v.Measures(ctx, m.Ref, time.Minute, []rollup.Method{rollup.Mean, rollup.Max}, 0, endOfTime)
	if err != nil {
		return mean, peak, err
	}
	return points[0], points[1], nil
}
