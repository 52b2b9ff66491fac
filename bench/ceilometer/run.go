package ceilometer

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/bench/cost"
	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/workload"
)

const (
	coldStarts  = 5
	shorter     = 4 // what is beside the main load gets this part of the ticks
	oneByOneFor = 3 * time.Second
)

// Options say what to run.
type Options struct {
	Binary    string   // of the server
	ServeArgs []string // further arguments of `serve`
	Dir       string   // scratch directory, emptied before and removed after
	Ticks     int      // seconds of the workload, at most 19,800
	Clients   int      // how many publish at a time, after one alone did
}

// Report is what one run showed.
type Report struct {
	o                         Options
	one, many, interval       posted  // batches of a second
	ones, onesMany, onesLoose posted  // one sample a request: one client, several, one with --sync interval
	loadMB, askMB             float64 // peak of memory, while loading and while being asked
	running, rest             served.Weight
	lifelike                  served.Weight // of the same samples, with arrivals as in life
	lifeCPUPerMillion         float64       // of the one client's load, with the graceful stop
	openMillis                float64
	cold                      timing
	warm                      answers
	checked                   int
}

// Run takes the whole measurement: some minutes of a machine that should do nothing else.
func Run(o Options) (r *Report, err error) {
	full := workload.A(0).Ticks
	if o.Ticks <= 0 || o.Ticks > full {
		o.Ticks = full
	}
	r = &Report{o: o}
	if err := os.RemoveAll(o.Dir); err != nil {
		return nil, err
	}
	defer os.RemoveAll(o.Dir)
	for _, step := range []struct {
		name string
		run  func(dir string) error
	}{{"one client", r.alone}, {"reading back", r.readBack}, {"several clients", r.several}, {"sync interval", r.loosely},
		{"arrivals as in life", r.imported}} {
		name := step.name
		if name == "reading back" {
			name = "one client"
		}
		dir := filepath.Join(o.Dir, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		if err := step.run(dir); err != nil {
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return r, nil
}

// with runs a server on dir while do runs, which gets the URL of Ceilometer's API, and gives the CPU seconds of its life.
func (o Options) with(dir string, more []string, do func(s *served.Server, base string) error) (cpu float64, err error) {
	address, err := served.FreeAddress()
	if err != nil {
		return 0, err
	}
	s, err := served.Start(o.Binary, dir, slices.Concat([]string{"--ceilometer-listen", address}, o.ServeArgs, more))
	if err != nil {
		return 0, err
	}
	if err := do(s, "http://"+address); err != nil {
		s.Kill()
		return 0, err
	}
	return s.Stop()
}

// watched adds the server's CPU to what clients showed.
func watched(s *served.Server, run func() (posted, error)) (p posted, err error) {
	before, err := s.CPUSeconds()
	if err != nil {
		return p, err
	}
	if p, err = run(); err != nil {
		return p, err
	}
	after, err := s.CPUSeconds()
	p.cpuSeconds = after - before
	return p, err
}

// alone publishes the whole workload with one client, each batch on disk before its answer.
func (r *Report) alone(dir string) (err error) {
	life, err := r.o.with(dir, nil, func(s *served.Server, base string) (err error) {
		if r.one, err = watched(s, func() (posted, error) {
			return together(base, 1, func(c *served.Client, w *workload.Workload) (posted, error) { return publishAll(c, w, r.o.Ticks) })
		}); err != nil {
			return err
		}
		r.running = served.Weigh(dir)
		r.loadMB, err = s.PeakMemoryMB()
		return err
	})
	if err == nil {
		r.lifeCPUPerMillion, r.rest = life/float64(r.one.samples)*1e6, served.Weigh(dir)
	}
	return err
}

// readBack asks what was loaded, in servers just started and whose files are not in memory, then in the last of them warm.
func (r *Report) readBack(dir string) error {
	w := workload.A(0)
	var took []time.Duration
	size := 0
	for n := range coldStarts {
		if err := cost.Forget(dir); err != nil {
			return err
		}
		start := time.Now()
		_, err := r.o.with(dir, nil, func(s *served.Server, base string) (err error) {
			r.openMillis = time.Since(start).Seconds() * 1e3
			c := served.NewClient(base)
			defer c.Close()
			body, d, err := c.Do(http.MethodGet, samplesPath(timedMeter, w.Resources[0].ID, longSamples), nil, http.StatusOK)
			if err != nil {
				return err
			}
			took, size = append(took, d), len(body)
			if n < coldStarts-1 {
				return nil
			}
			if r.warm, err = ask(c, w, r.o.Ticks); err != nil {
				return err
			}
			if r.askMB, err = s.PeakMemoryMB(); err != nil {
				return err
			}
			r.checked, err = check(c, w, r.o.Ticks)
			return err
		})
		if err != nil {
			return err
		}
	}
	r.cold = timingOf(took, size)
	return nil
}

// several publishes with many clients, and then posts one sample a request with one and with many.
func (r *Report) several(dir string) error {
	ticks := max(1, r.o.Ticks/shorter/r.o.Clients)
	_, err := r.o.with(dir, nil, func(s *served.Server, base string) (err error) {
		if r.many, err = watched(s, func() (posted, error) {
			return together(base, r.o.Clients, func(c *served.Client, w *workload.Workload) (posted, error) { return publishAll(c, w, ticks) })
		}); err != nil {
			return err
		}
		if r.ones, err = r.oneByOne(s, base, 1, ticks); err != nil {
			return err
		}
		r.onesMany, err = r.oneByOne(s, base, r.o.Clients, ticks+1000)
		return err
	})
	return err
}

// loosely does with one client what alone and several do, with --sync interval.
func (r *Report) loosely(dir string) error {
	ticks := max(1, r.o.Ticks/shorter)
	_, err := r.o.with(dir, []string{"--sync", "interval"}, func(s *served.Server, base string) (err error) {
		if r.interval, err = watched(s, func() (posted, error) {
			return together(base, 1, func(c *served.Client, w *workload.Workload) (posted, error) { return publishAll(c, w, ticks) })
		}); err != nil {
			return err
		}
		r.onesLoose, err = r.oneByOne(s, base, 1, ticks)
		return err
	})
	return err
}

// imported has the command import the same samples with arrivals as in life. Publishing replays hours in a minute, so that of two samples of
// a metric the second arrives milliseconds after the first, more or less, which costs bytes that no collector's samples cost.
func (r *Report) imported(dir string) error {
	cmd := exec.Command(r.o.Binary, "import", "samples", "--data", dir, "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return err
	}
	w := workload.A(0)
	e, lines := newEncoder(w, Metadata), []byte(nil)
	for row := range w.Rows(r.o.Ticks) {
		lines = e.appendLines(lines[:0], row)
		if _, err = in.Write(lines); err != nil {
			break
		}
	}
	if err = errors.Join(err, in.Close(), cmd.Wait()); err != nil {
		return fmt.Errorf("%w: %s", err, said.Bytes())
	}
	if want := fmt.Sprintf("%d of %d lines stored", e.number, e.number); !strings.Contains(said.String(), want) {
		return fmt.Errorf("the import says %s", said.Bytes())
	}
	if _, err := r.o.with(dir, nil, func(*served.Server, string) error { return nil }); err != nil { // and what a stop does
		return err
	}
	r.lifelike = served.Weigh(dir)
	return nil
}

func (r *Report) oneByOne(s *served.Server, base string, clients, fromTick int) (posted, error) {
	most := min(oneByOneFor, time.Duration(r.o.Ticks)*time.Millisecond)
	return watched(s, func() (posted, error) {
		return together(base, clients, func(c *served.Client, w *workload.Workload) (posted, error) { return postOnes(c, w, fromTick, most) })
	})
}
