package load

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/bench/served"
)

// client is one of the many; it serves one goroutine.
type client struct {
	w      *world
	c      *served.Client
	random *rand.Rand
	seen   map[*thing]int64 // the most samples that it saw of each
	tally  *tally
	n      int // which of the clients it is
}

// errBusy: the server said that it has too much to do, and when to try again.
var errBusy = errors.New("back-pressure")

// ask sends a request. Anything but the wanted statuses and back-pressure is an error.
func (c *client) ask(kind, method, path string, body []byte, want ...int) (served.Answer, error) {
	a, err := c.c.Ask(method, path, body)
	if err != nil {
		return a, err
	}
	c.tally.add(kind, a.Took)
	for _, status := range want {
		if a.Status == status {
			return a, nil
		}
	}
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable {
		seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
		if err != nil || seconds < 1 {
			return a, fmt.Errorf("%s %s: status %d without a time to try again", method, path, a.Status)
		}
		c.tally.add("back-pressure", a.Took)
		time.Sleep(min(time.Duration(seconds)*time.Second, time.Second))
		return a, errBusy
	}
	return a, fmt.Errorf("%s %s: status %d, want %v: %s", method, path, a.Status, want, a.Body[:min(len(a.Body), 500)])
}

// turn does one thing, by the kind of client.
func (c *client) turn() error {
	switch c.n % 8 {
	case 0, 1, 2:
		return c.write()
	case 3:
		return c.read()
	case 4:
		return c.readTogether()
	case 5:
		return c.average()
	case 6:
		return c.search()
	}
	if c.random.IntN(3) == 0 {
		return c.comeAndGo()
	}
	return c.change()
}

// writers is how many of so many clients write.
func writers(clients int) (n int) {
	for i := range clients {
		if i%8 < 3 {
			n++
		}
	}
	return n
}

// own is the next thing of a writer: nobody else writes to it.
func (c *client) own() *thing {
	place := c.n/8*3 + c.n%8
	all := writers(c.tally.clients)
	count := (len(c.w.things) - place + all - 1) / all
	return c.w.things[place+all*c.random.IntN(count)]
}

func (c *client) some() *thing { return c.w.things[c.random.IntN(len(c.w.things))] }

// write posts the next samples of a thing.
func (c *client) write() error {
	t := c.own()
	from := t.acked.Load()
	_, err := c.ask("batch", http.MethodPost, "/v1/batch/resources/metrics/measures", t.batchBody(from), http.StatusAccepted)
	if err != nil {
		return err
	}
	t.acked.Store(from + samples)
	return nil
}

// saw takes note of how many samples of a thing there are, which must not be fewer than before.
func (c *client) saw(t *thing, count, acked int64) error {
	if count < acked {
		return fmt.Errorf("%s has %d samples of %d that were acknowledged before", t.id, count, acked)
	}
	if count < c.seen[t] {
		return fmt.Errorf("%s shrank from %d samples to %d", t.id, c.seen[t], count)
	}
	if count%samples != 0 {
		return fmt.Errorf("%s has %d samples: part of a batch", t.id, count)
	}
	c.seen[t] = count
	return nil
}

// read reads one metric, all of it.
func (c *client) read() error {
	t := c.some()
	acked := t.acked.Load()
	a, err := c.ask("measures", http.MethodGet, "/v1/metric/"+t.metrics[c.random.IntN(len(t.metrics))]+
		"/measures?aggregation=count&granularity="+strconv.Itoa(groupWidth), nil, http.StatusOK)
	if err != nil {
		return err
	}
	list, err := parseList(a.Body)
	if err != nil {
		return err
	}
	count, err := countSamples(list)
	if err != nil {
		return fmt.Errorf("%s: %w", t.id, err)
	}
	return c.saw(t, count, acked)
}

// readTogether reads all metrics of a thing in one request: they have the same samples.
func (c *client) readTogether() error {
	t := c.some()
	acked := t.acked.Load()
	operation := []any{"metric"}
	for _, id := range t.metrics {
		operation = append(operation, []string{id, "mean"})
	}
	a, err := c.ask("aggregates", http.MethodPost, "/v1/aggregates?granularity=1&fill=null", encode(map[string]any{"operations": operation}),
		http.StatusOK)
	if err != nil {
		return err
	}
	last, err := sameInAll(a.Body, t.metrics[:])
	if err != nil {
		return fmt.Errorf("%s: %w", t.id, err)
	}
	return c.saw(t, last+1, acked)
}

// average aggregates over a group of things. Samples of one time are equal everywhere, so the mean is what they are.
func (c *client) average() error {
	body := encode(map[string]any{"resource_type": typeName, "search": map[string]any{"=": map[string]string{"group": groupName(c.random.IntN(c.w.groups))}},
		"operations": []any{"aggregate", "mean", []any{"metric", metricNames[c.random.IntN(len(metricNames))], "max"}}})
	path := "/v1/aggregates?granularity=1"
	grouped := c.random.IntN(2) == 0
	if grouped {
		path += "&groupby=group"
	}
	a, err := c.ask("aggregates of a group", http.MethodPost, path, body, http.StatusOK)
	if err != nil {
		return err
	}
	return checkAverage(a.Body, grouped)
}

// search lists a group: its lasting members are all there, each in one state.
func (c *client) search() error {
	group := c.random.IntN(c.w.groups)
	states := map[string]int64{}
	for i := group; i < len(c.w.things); i += c.w.groups {
		states[c.w.things[i].id] = c.w.things[i].state.Load()
	}
	body := encode(map[string]any{"=": map[string]string{"group": groupName(group)}})
	a, err := c.ask("search", http.MethodPost, "/v1/search/resource/"+typeName+"?limit=1000", body, http.StatusOK)
	if err != nil {
		return err
	}
	return checkSearch(a.Body, states)
}

// change gives a thing's two attributes new values, together.
func (c *client) change() error {
	t := c.some()
	if !t.changer.CompareAndSwap(false, true) {
		return nil
	}
	defer t.changer.Store(false)
	state := t.state.Load() + 1
	value := strconv.FormatInt(state, 10)
	_, err := c.ask("resource update", http.MethodPatch, "/v1/resource/"+typeName+"/"+t.id, encode(map[string]string{"first": value, "second": value}),
		http.StatusOK)
	if err == nil {
		t.state.Store(state)
	}
	return err
}

// comeAndGo makes a resource, writes to it, and deletes it.
func (c *client) comeAndGo() error {
	t := &thing{id: fmt.Sprintf("5eed0005-0000-4000-8000-%012x", c.random.Int64N(1<<47)), group: "passing"}
	path := "/v1/resource/" + typeName
	if _, err := c.ask("resource creation", http.MethodPost, path, resourceBody(t.id, t.group), http.StatusCreated); err != nil {
		return err
	}
	if err := c.again(func() error {
		_, err := c.ask("batch", http.MethodPost, "/v1/batch/resources/metrics/measures", t.batchBody(0), http.StatusAccepted)
		return err
	}); err != nil {
		return err
	}
	return c.again(func() error {
		_, err := c.ask("resource deletion", http.MethodDelete, path+"/"+t.id, nil, http.StatusNoContent)
		return err
	})
}

// again repeats what was refused for back-pressure.
func (c *client) again(do func() error) error {
	for {
		if err := do(); !errors.Is(err, errBusy) {
			return err
		}
	}
}
