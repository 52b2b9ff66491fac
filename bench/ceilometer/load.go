package ceilometer

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/workload"
)

const publishPath = "/v2/publish"

// posted is what one or more clients showed.
type posted struct {
	clients, samples int
	took             []time.Duration // of each request, sorted
	wall             time.Duration   // one client: spent waiting for answers; several: from the first to the last
	cpuSeconds       float64         // of the server, if it was watched
}

func (p posted) perSecond() float64               { return float64(p.samples) / p.wall.Seconds() }
func (p posted) cpuPerMillion() float64           { return p.cpuSeconds / float64(p.samples) * 1e6 }
func (p posted) quantile(of100 int) time.Duration { return p.took[len(p.took)*of100/100] }

// add takes over what another client showed.
func (p *posted) add(o posted) {
	p.clients += o.clients
	p.samples += o.samples
	p.took = append(p.took, o.took...)
}

// publishAll posts ticks of a workload, a tick in a request, and waits for each answer.
func publishAll(c *served.Client, w *workload.Workload, ticks int) (p posted, err error) {
	p.clients = 1
	e, body := newEncoder(w, Metadata), []byte(nil)
	want := fmt.Sprintf(`"stored":%d}`, w.MetricCount())
	for row := range w.Rows(ticks) {
		separator := byte(',')
		if row.Resource == 0 {
			body, separator = body[:0], '['
		}
		body = e.append(append(body, separator), row)
		if row.Resource < len(w.Resources)-1 {
			continue
		}
		body = append(body, ']')
		answer, took, err := c.Do(http.MethodPost, publishPath, body, http.StatusAccepted)
		if err != nil {
			return p, err
		}
		if n := len(answer) - len(want); n < 0 || string(answer[n:]) != want {
			return p, fmt.Errorf("publishing was answered with %s, want all stored", answer)
		}
		p.took, p.wall, p.samples = append(p.took, took), p.wall+took, p.samples+w.MetricCount()
	}
	slices.Sort(p.took)
	return p, nil
}

// postOnes posts samples of a workload one in a request through the API until the time is over.
func postOnes(c *served.Client, w *workload.Workload, fromTick int, most time.Duration) (p posted, err error) {
	p.clients = 1
	for row, k := range singles(w, fromTick) {
		m := w.Resources[row.Resource].Metrics[k.metric]
		_, took, err := c.Do(http.MethodPost, "/v2/meters/"+m.Name, k.body, http.StatusCreated)
		if err != nil {
			return p, err
		}
		p.took, p.wall, p.samples = append(p.took, took), p.wall+took, p.samples+1
		if p.wall >= most {
			break
		}
	}
	slices.Sort(p.took)
	return p, nil
}

type single struct {
	metric int
	body   []byte // valid until the next
}

// singles walks the samples from a tick on, one by one.
func singles(w *workload.Workload, fromTick int) iter.Seq2[workload.Row, single] {
	return func(yield func(workload.Row, single) bool) {
		e, body := newEncoder(w, texts), []byte(nil)
		for row := range w.Rows(w.Ticks) {
			if row.Unix < workload.Start+int64(fromTick) {
				continue
			}
			for k := range row.Values {
				body = e.appendFields(append(body[:0], '['), row, k, time.Unix(row.Unix, 0).UTC())
				body = append(body, "}]"...)
				if !yield(row, single{k, body}) {
					return
				}
			}
		}
	}
}

// together runs a client for each of that many clouds at a time.
func together(base string, clients int, run func(c *served.Client, w *workload.Workload) (posted, error)) (all posted, err error) {
	var wg sync.WaitGroup
	got, errs := make([]posted, clients), make([]error, clients)
	start := time.Now()
	for i := range clients {
		wg.Go(func() {
			c := served.NewClient(base)
			defer c.Close()
			got[i], errs[i] = run(c, workload.A(i))
		})
	}
	wg.Wait()
	for _, p := range got {
		all.add(p)
	}
	if all.wall = time.Since(start); clients == 1 {
		all.wall = got[0].wall
	}
	slices.Sort(all.took)
	return all, errors.Join(errs...)
}
