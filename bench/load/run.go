package load

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/served"
)

// Options say what to run.
type Options struct {
	Binary    string        // of the server
	ServeArgs []string      // further arguments of `serve`
	Dir       string        // scratch directory, emptied before and removed after
	For       time.Duration // how long
	Clients   int           // default 64
	Things    int           // resources that are written to, default 96
	MemoryMB  float64       // the most resident memory; 0: whatever
	Seed      uint64
}

const (
	groups      = 8
	sampleEvery = 500 * time.Millisecond
)

// Report is what a run showed.
type Report struct {
	tally   *tally
	peakMB  float64
	sampled int     // times that the memory was looked at
	meanMB  float64 // of these
	stored  int64   // samples that were acknowledged and found again
	stop    time.Duration
}

// Run puts a fresh server under load. The error says what must not have happened.
func Run(o Options) (r *Report, err error) {
	if o.Clients <= 0 {
		o.Clients = 64
	}
	if o.Things <= 0 {
		o.Things = 96
	}
	if o.Things < writers(o.Clients) {
		return nil, fmt.Errorf("%d writers need as many things, not %d", writers(o.Clients), o.Things)
	}
	if err := errors.Join(os.RemoveAll(o.Dir), os.MkdirAll(o.Dir, 0o755)); err != nil {
		return nil, err
	}
	defer os.RemoveAll(o.Dir)
	s, err := served.Start(o.Binary, o.Dir, o.ServeArgs)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil && s != nil {
			s.Kill()
		}
	}()
	w, err := create(s.URL, o.Things, groups)
	if err != nil {
		return nil, err
	}
	r = &Report{tally: newTally(o.Clients)}
	if err := r.together(o, w, s); err != nil {
		return r, err
	}
	begin := time.Now()
	if _, err = s.Stop(); err != nil {
		return r, err
	}
	r.stop = time.Since(begin)
	if s, err = served.Start(o.Binary, o.Dir, o.ServeArgs); err != nil {
		return r, err
	}
	if err := r.findAll(w, s.URL); err != nil {
		return r, fmt.Errorf("after a restart: %w", err)
	}
	_, err = s.Stop()
	return r, err
}

// together runs the clients and watches the memory until the time is over or one found something.
func (r *Report) together(o Options, w *world, s *served.Server) error {
	stop := make(chan struct{})
	found := make(chan error, o.Clients)
	var wg sync.WaitGroup
	for n := range o.Clients {
		wg.Go(func() {
			c := &client{w: w, c: served.NewClient(w.url), random: rand.New(rand.NewPCG(o.Seed, uint64(n))), seen: map[*thing]int64{}, tally: r.tally, n: n}
			defer c.c.Close()
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := c.turn(); err != nil && !errors.Is(err, errBusy) {
					found <- fmt.Errorf("client %d: %w", n, err)
					return
				}
			}
		})
	}
	err := r.watch(o, s, found)
	close(stop)
	wg.Wait()
	if err != nil {
		return err
	}
	select {
	case err := <-found: // in the last moment
		return err
	default:
		return nil
	}
}

// watch looks at the server's memory until the time is over.
func (r *Report) watch(o Options, s *served.Server, found <-chan error) error {
	over := time.After(o.For)
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	sum := 0.0
	for {
		select {
		case err := <-found:
			return err
		case <-over:
			return nil
		case <-tick.C:
		}
		mb, err := s.MemoryMB()
		if err != nil {
			return err
		}
		r.sampled++
		sum += mb
		r.peakMB, r.meanMB = max(r.peakMB, mb), sum/float64(r.sampled)
		if o.MemoryMB > 0 && mb > o.MemoryMB {
			return fmt.Errorf("the server takes %.0f MB, more than %.0f", mb, o.MemoryMB)
		}
	}
}

// findAll looks for everything that was acknowledged.
func (r *Report) findAll(w *world, url string) error {
	c := &client{w: w, c: served.NewClient(url), seen: map[*thing]int64{}, tally: newTally(1)}
	defer c.c.Close()
	for _, t := range w.things {
		c.w = &world{url: url, things: []*thing{t}}
		c.random = rand.New(rand.NewPCG(0, 0))
		if err := errors.Join(c.read(), c.readTogether()); err != nil {
			return err
		}
		r.stored += t.acked.Load() * int64(len(t.metrics))
	}
	return nil
}

// tally counts requests by kind and keeps how long they took.
type tally struct {
	clients int

	mu   sync.Mutex
	took map[string][]time.Duration
}

func newTally(clients int) *tally {
	return &tally{clients: clients, took: map[string][]time.Duration{}}
}

func (t *tally) add(kind string, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took[kind] = append(t.took[kind], took)
}

// Requests is how many requests were answered.
func (r *Report) Requests() (n int) {
	for _, took := range r.tally.took {
		n += len(took)
	}
	return n - len(r.tally.took["back-pressure"])
}

// Summary is what the run showed beside the table.
func (r *Report) Summary() string {
	return fmt.Sprintf("%d requests of %d clients, %d refused for back-pressure; memory %.0f MB, at most %.0f; ended in %.1f s; %d acknowledged samples found again.",
		r.Requests(), r.tally.clients, len(r.tally.took["back-pressure"]), r.meanMB, r.peakMB, r.stop.Seconds(), r.stored)
}

// Table tells how long requests took, by kind.
func (r *Report) Table() table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"request", "number", "median, ms", "p99, ms", "most, ms"})
	kinds := make([]string, 0, len(r.tally.took))
	for kind := range r.tally.took {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		took := slices.Sorted(slices.Values(r.tally.took[kind]))
		ms := func(i int) string { return fmt.Sprintf("%.1f", took[i].Seconds()*1e3) }
		t.AppendRow(table.Row{kind, len(took), ms(len(took) / 2), ms(len(took) * 99 / 100), ms(len(took) - 1)})
	}
	return t
}
