package cloud

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/workload"
)

// Options say what to run.
type Options struct {
	Binary    string   // of the server
	ServeArgs []string // further arguments of `serve`
	Dir       string   // scratch directory, emptied before and removed after
	Instances int      // default 1,000
	Ticks     int      // default all, 288
	Live      int      // of these, cycles posted as in life; default 6
	Gnocchi   string   // URL of a running Gnocchi that gets the same work; empty: none
	Keep      bool     // leave the directory
}

func (o *Options) setDefaults() {
	if o.Instances <= 0 {
		o.Instances = 1000
	}
	if o.Ticks <= 0 || o.Ticks > 288 {
		o.Ticks = 288
	}
	if o.Live <= 0 {
		o.Live = 6
	}
}

// Report is what one run showed.
type Report struct {
	o        Options
	ours     figures
	theirs   *figures // of the running Gnocchi; nil: there was none
	rest     served.Weight
	cpu      float64 // seconds of the server until it had stopped
	peakMB   float64
	openedMS float64
	checked  int // values compared with the generator
}

// figures are what a site showed.
type figures struct {
	loaded
	points  timing   // of one metric
	answers []timing // of each question
}

// Run takes the whole measurement: a minute of a machine that should do nothing else; with Gnocchi, an hour.
func Run(o Options) (*Report, error) {
	o.setDefaults()
	if err := os.RemoveAll(o.Dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	if !o.Keep {
		defer os.RemoveAll(o.Dir)
	}
	w := workload.B(o.Instances, 0)
	all := columnsOf(w, o.Ticks)
	r := &Report{o: o}
	if err := r.measureOurs(w, all); err != nil {
		return nil, err
	}
	if o.Gnocchi == "" {
		return r, nil
	}
	s := newSite(o.Gnocchi, true)
	defer s.c.Close()
	r.theirs = new(figures)
	var err error
	if r.theirs.loaded, err = load(s, w, all, o.Ticks, o.Live); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Gnocchi, err)
	}
	if err := r.theirs.askAll(s, nil, w, all, o.Ticks); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Gnocchi, err)
	}
	return r, nil
}

// measureOurs loads a fresh server, stops it, and asks a second one on the same directory.
func (r *Report) measureOurs(w *workload.Workload, all columns) (err error) {
	server, err := served.Start(r.o.Binary, r.o.Dir, r.o.ServeArgs)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && server != nil {
			server.Kill()
		}
	}()
	s := newSite(server.URL, false)
	r.ours.loaded, err = load(s, w, all, r.o.Ticks, r.o.Live)
	s.c.Close()
	if err != nil {
		return err
	}
	if r.peakMB, err = server.PeakMemoryMB(); err != nil {
		return err
	}
	if r.cpu, err = server.Stop(); err != nil {
		return err
	}
	r.rest = served.Weigh(r.o.Dir)
	start := time.Now()
	if server, err = served.Start(r.o.Binary, r.o.Dir, r.o.ServeArgs); err != nil {
		return err
	}
	r.openedMS = time.Since(start).Seconds() * 1e3
	s = newSite(server.URL, false)
	defer s.c.Close()
	if err := r.ours.askAll(s, server, w, all, r.o.Ticks); err != nil {
		return err
	}
	if r.checked, err = checkAll(s, w, all, r.ours.ids); err != nil {
		return fmt.Errorf("%w: %w", errAnswer, err)
	}
	peak, err := server.PeakMemoryMB()
	if err != nil {
		return err
	}
	r.peakMB = max(r.peakMB, peak)
	_, err = server.Stop()
	return err
}

// askAll times all questions.
func (f *figures) askAll(s *site, server *served.Server, w *workload.Workload, all columns, ticks int) (err error) {
	path := "/v1/metric/" + f.ids[0][aggregatedMetric] + "/measures?aggregation=mean&granularity=300"
	if f.points, err = measure(s, server, http.MethodGet, path, nil, usualRequests); err != nil {
		return err
	}
	f.answers = nil
	for _, q := range questions(w) {
		t, err := q.ask(s, server, w, all, ticks)
		if err != nil {
			return err
		}
		f.answers = append(f.answers, t)
	}
	return nil
}
