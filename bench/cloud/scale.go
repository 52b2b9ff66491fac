package cloud

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/results"
	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/workload"
)

// Stores of two sizes and results of four: what a question costs must follow the second.
var (
	storeSizes  = []int{10_000, 100_000}
	resultSizes = []int{1, 10, 100, 1000}
)

const (
	scaleTicks    = 12 // an hour
	scaleClients  = 4
	resourcesPost = 400
)

// ScaleReport is what stores of different sizes showed.
type ScaleReport struct {
	stores []scaled
}

// scaled is one store.
type scaled struct {
	resources          int
	create, post       time.Duration
	searches, averages []timing // by resultSizes
	peakMB             float64
	rest               served.Weight
}

// Scale asks stores of 10,000 and of 100,000 resources of ten metrics for the same numbers of resources. some, if not 0, replaces
// the size of the larger one.
func Scale(o Options, some int) (*ScaleReport, error) {
	sizes := storeSizes
	if some > 0 {
		sizes = []int{10_000, max(some, 10_000)}
	}
	r := new(ScaleReport)
	for _, n := range sizes {
		dir := filepath.Join(o.Dir, fmt.Sprint(n))
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
			return nil, err
		}
		one, err := o.scale(dir, n)
		if !o.Keep {
			err = errors.Join(err, os.RemoveAll(dir))
		}
		if err != nil {
			return nil, fmt.Errorf("%d resources: %w", n, err)
		}
		r.stores = append(r.stores, one)
	}
	return r, nil
}

// rack names the set of resources that one belongs to: sets of the result sizes, spread over the store, and the rest.
func rack(i, n int) string {
	for at, size := range resultSizes {
		if i%(n/size) == at {
			return fmt.Sprint("of-", size)
		}
	}
	return fmt.Sprint("rest-", i%100)
}

func (o Options) scale(dir string, n int) (one scaled, err error) {
	w := workload.B(n, 1)
	for i := range w.Resources {
		w.Resources[i].Attributes = append(w.Resources[i].Attributes, workload.Attribute{Name: "rack", Value: rack(i, n)})
	}
	all := columnsOf(w, scaleTicks)
	server, err := served.Start(o.Binary, dir, o.ServeArgs)
	if err != nil {
		return one, err
	}
	defer func() {
		if err != nil && server != nil {
			server.Kill()
		}
	}()
	s := newSite(server.URL, false)
	one.resources = n
	if err := prepare(s, w); err != nil {
		return one, err
	}
	start := time.Now()
	if err := createTogether(s, w); err != nil {
		return one, err
	}
	one.create = time.Since(start)
	if one.post, err = postTicks(s, w, all); err != nil {
		return one, err
	}
	if _, err = server.Stop(); err != nil {
		return one, err
	}
	one.rest = served.Weigh(dir)
	if server, err = served.Start(o.Binary, dir, o.ServeArgs); err != nil {
		return one, err
	}
	s = newSite(server.URL, false)
	defer s.c.Close()
	for _, size := range resultSizes {
		q := question{filter: eq("rack", fmt.Sprint("of-", size)), limit: 1000, match: equals("rack", fmt.Sprint("of-", size)), heavy: true}
		q.what = fmt.Sprintf("search, %d resources", size)
		t, err := q.ask(s, server, w, all, scaleTicks)
		if err != nil {
			return one, err
		}
		one.searches = append(one.searches, t)
		q.what, q.aggregate = fmt.Sprintf("aggregates, %d metrics", size), true
		if t, err = q.ask(s, server, w, all, scaleTicks); err != nil {
			return one, err
		}
		one.averages = append(one.averages, t)
	}
	if one.peakMB, err = server.PeakMemoryMB(); err != nil {
		return one, err
	}
	_, err = server.Stop()
	return one, err
}

// createTogether makes the resources with several clients at once.
func createTogether(s *site, w *workload.Workload) error {
	errs := make(chan error, scaleClients)
	var wg sync.WaitGroup
	for g := range scaleClients {
		wg.Go(func() {
			c := served.NewClient(s.url)
			defer c.Close()
			for i := g; i < len(w.Resources); i += scaleClients {
				body, err := resourceBody(w.Resources[i], w.Policy)
				if err == nil {
					_, _, err = c.Do(http.MethodPost, "/v1/resource/instance", body, http.StatusCreated)
				}
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		})
	}
	wg.Wait()
	for range scaleClients {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// postTicks posts all ticks in their order.
func postTicks(s *site, w *workload.Workload, all columns) (took time.Duration, err error) {
	for tick := range scaleTicks {
		var batches []batch
		for from := 0; from < len(w.Resources); from += resourcesPost {
			var places []int
			for i := from; i < min(from+resourcesPost, len(w.Resources)); i++ {
				places = append(places, i)
			}
			batches = append(batches, appendBatch(w, all, places, tick, tick+1))
		}
		d, err := s.post(batches, scaleClients)
		if err != nil {
			return took, err
		}
		took += d
	}
	return took, nil
}

// Table sets what the same result costs from stores of different sizes side by side.
func (r *ScaleReport) Table() table.Writer {
	t := table.NewWriter()
	header := table.Row{"result"}
	for _, s := range r.stores {
		header = append(header, fmt.Sprintf("of %d resources: best, median, CPU ms", s.resources))
	}
	t.AppendHeader(append(header, "ratio of the best"))
	row := func(what string, of func(s *scaled) timing) {
		cells := table.Row{what}
		for i := range r.stores {
			got := of(&r.stores[i])
			cells = append(cells, fmt.Sprintf("%.2f, %.2f, %.2f", ms(got.best), ms(got.median), got.cpuMillis))
		}
		first, last := of(&r.stores[0]), of(&r.stores[len(r.stores)-1])
		t.AppendRow(append(cells, fmt.Sprintf("%.2f", float64(last.best)/float64(first.best))))
	}
	for k, size := range resultSizes {
		row(fmt.Sprintf("search, %d resources", size), func(s *scaled) timing { return s.searches[k] })
	}
	for k, size := range resultSizes {
		row(fmt.Sprintf("aggregates, mean over %d metrics x %d points", size, scaleTicks), func(s *scaled) timing { return s.averages[k] })
	}
	costs := table.Row{"made in, posted in, memory, disk"}
	for _, s := range r.stores {
		measures := float64(s.resources * 10 * scaleTicks)
		costs = append(costs, fmt.Sprintf("%.1f s, %.1f s (%.0f/s), %.0f MB, %.1f MB", s.create.Seconds(), s.post.Seconds(),
			measures/s.post.Seconds(), s.peakMB, float64(s.rest.Allocated)/1e6))
	}
	t.AppendRow(append(costs, ""))
	return t
}

// Growth gives what each store cost, for tables of cost by size.
func (r *ScaleReport) Growth() (records []results.Record) {
	for i := range r.stores {
		s := &r.stores[i]
		measures := float64(s.resources * 10 * scaleTicks)
		costs := map[string]float64{
			"create a resource of 10 metrics, us": s.create.Seconds() / float64(s.resources) * 1e6,
			"post a measure, us":                  s.post.Seconds() / measures * 1e6,
			"memory, MB":                          s.peakMB,
			"disk, B/measure":                     float64(s.rest.Allocated) / measures,
		}
		for k, size := range resultSizes {
			costs[fmt.Sprintf("search, %d found, ms", size)] = ms(s.searches[k].best)
			costs[fmt.Sprintf("mean over %d metrics, ms", size)] = ms(s.averages[k].best)
		}
		records = append(records, results.Record{Growth: &results.Growth{Dimension: "resources", Size: float64(s.resources), Costs: costs}})
	}
	return records
}
