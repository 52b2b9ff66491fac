package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/engine"
)

func openMem(t *testing.T, fs vfs.FS) *collector {
	t.Helper()
	db, err := engine.Open("db", &engine.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil && !errors.Is(err, engine.ErrClosed) {
			t.Error(err)
		}
	})
	c, err := newCollector(t.Context(), db, "testhost")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPerMinute stores two minutes, reopens, stores a third, and wants the means of all.
func TestPerMinute(t *testing.T) {
	fs := vfs.NewMem()
	start := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	c := openMem(t, fs)
	for i := range 120 {
		now := start.Add(time.Duration(i) * time.Second)
		err := c.store(t.Context(), now, []reading{{"cpu.percent", float64(i)}, {"load.1m", 1}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := c.db.Close(); err != nil {
		t.Fatal(err)
	}

	c = openMem(t, fs)
	if err := c.store(t.Context(), start.Add(2*time.Minute), []reading{{"cpu.percent", 7}}); err != nil {
		t.Fatal(err)
	}
	mean, peak, err := c.perMinute(t.Context(), "cpu.percent")
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{29.5, 89.5, 7}; !slices.Equal(mean.Values, want) {
		t.Errorf("means %v, want %v", mean.Values, want)
	}
	if want := []float64{59, 119, 7}; !slices.Equal(peak.Values, want) {
		t.Errorf("maxima %v, want %v", peak.Values, want)
	}

	var out bytes.Buffer
	if err := c.print(t.Context(), &out, "cpu.percent"); err != nil {
		t.Fatal(err)
	}
	if line := fmt.Sprintf("%-20s  %12.3f  %12.3f\n", "2026-01-02 03:05", 89.5, 119.0); !strings.Contains(out.String(), line) {
		t.Errorf("got\n%swant the line %s", &out, line)
	}
	if _, _, err := c.perMinute(t.Context(), "nothing"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("unknown metric: %v, want ErrNotFound", err)
	}
}

// TestCollect samples for a (faked) while and wants one sample per tick, the first at once.
func TestCollect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := openMem(t, vfs.NewMem())
		ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
		defer cancel()
		calls := 0
		err := c.collect(ctx, time.Second, func(context.Context) ([]reading, error) {
			calls++
			return []reading{{"cpu.percent", float64(calls)}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.db.Stats().Samples; calls != 5 || got != 5 {
			t.Errorf("%d calls, %d samples; want 5 of each", calls, got)
		}
	})
}

// TestCollectFails wants the sampler's error, not a silent gap.
func TestCollectFails(t *testing.T) {
	c := openMem(t, vfs.NewMem())
	broken := errors.New("broken sensor")
	err := c.collect(t.Context(), time.Second, func(context.Context) ([]reading, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// TestRun is the command itself on a directory: the real sampler, stopped by its time limit, then asked again.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-data", dir, "-for", "50ms", "-every", "20ms"}, &out); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := run(t.Context(), []string{"-data", dir, "-answer", "-metric", "memory.used_percent"}, &out); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "\n"); lines < 3 {
		t.Errorf("got\n%swant a heading, a minute and a summary", &out)
	}
}
