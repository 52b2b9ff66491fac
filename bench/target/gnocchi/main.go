// Command gnocchi measures Gnocchi over HTTP: the server at the URI, or Debian's Gnocchi with PostgreSQL, Redis and files, which it starts (setup.sh
// installs what that needs). Measures are acknowledged when Redis has them; they can be read when metricd has aggregated them, which Settle
// waits for.
package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target"
)

const (
	prefix      = "tsdb_bench"
	fastStep    = time.Minute // of sets that get the policy of one second's measurement, with all methods
	fastPoints  = 86_400
	slowPoints  = 8_640
	settlePoll  = 200 * time.Millisecond
	settleStall = 3 * time.Minute // without a measure less: nobody works
)

type gnocchi struct {
	set   *dataset.Set
	own   *installation // nil for a server that others run
	api   *client
	names names

	mu      sync.Mutex
	made    map[string]bool   // resources that are known to exist
	metrics map[string]string // ids, by resource and metric; filled when first asked for
}

// names are those of a run at the server.
type names struct {
	resourceType string
	policy       string
	step         int64 // granularity in seconds
}

func (g *gnocchi) Open(dir string, set *dataset.Set, o target.Options) (err error) {
	g.set, g.made, g.metrics = set, map[string]bool{}, nil
	uri := o.URI
	if uri == "" {
		if g.own, err = start(dir, o.Fsync); err != nil {
			return err
		}
		uri = g.own.url
	} else if o.Fsync {
		return fmt.Errorf("the server at %s decides by itself what it syncs", o.URI)
	}
	if g.api, err = newClient(uri); err != nil {
		return err
	}
	g.names = namesOf(set, o.Name)
	if err := g.prepare(); err != nil {
		return errors.Join(fmt.Errorf("%w%s", err, g.own.ended()), g.own.kill())
	}
	return g.Settle() // what a killed run left is there when it can be read
}

// namesOf gives the resource type and archive policy for a set.
func namesOf(set *dataset.Set, run string) names {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(run))
	step := max(1, set.StepMillis/1000)
	return names{resourceType: strings.TrimRight(prefix+"_"+clean, "_"), policy: fmt.Sprintf("%s_%ds_%d", prefix, step, points(set)), step: step}
}

// points are as many as hold the whole set, and at least a day of seconds or a month of five minutes.
func points(set *dataset.Set) int64 {
	step := max(1000, set.StepMillis)
	least := int64(slowPoints)
	if time.Duration(step)*time.Millisecond < fastStep {
		least = fastPoints
	}
	return max(least, (set.MaxMillis-set.MinMillis)/step+2)
}

// prepare makes policy and resource type, unless they are there.
func (g *gnocchi) prepare() error {
	methods := []string{"mean"}
	if g.names.step < int64(fastStep/time.Second) {
		methods = []string{"count", "max", "sum", "min", "mean"}
	}
	policy := map[string]any{"name": g.names.policy, "back_window": 0, "aggregation_methods": methods,
		"definition": []map[string]any{{"granularity": g.names.step, "points": points(g.set)}}}
	if err := g.api.post("/v1/archive_policy", policy, http.StatusCreated, http.StatusConflict); err != nil {
		return err
	}
	host := map[string]any{"type": "string", "required": true, "min_length": 0, "max_length": 255}
	kind := map[string]any{"name": g.names.resourceType, "attributes": map[string]any{"host": host}}
	return g.api.post("/v1/resource_type", kind, http.StatusCreated, http.StatusConflict)
}

// Settle waits until no measure waits for metricd.
func (g *gnocchi) Settle() error {
	least, since := int64(-1), time.Now()
	for {
		left, err := g.api.backlog()
		if err != nil {
			return fmt.Errorf("%w%s", err, g.own.ended())
		}
		if left == 0 {
			return nil
		}
		if least < 0 || left < least {
			least, since = left, time.Now()
		}
		if time.Since(since) > settleStall {
			return fmt.Errorf("%s: %d measures wait to be aggregated, none less for %v%s", g.api.base, left, settleStall, g.own.ended())
		}
		time.Sleep(settlePoll)
	}
}

func (g *gnocchi) Unit() time.Duration { return time.Millisecond }

func (g *gnocchi) Version() (string, error) {
	build, err := g.api.build()
	if err != nil {
		return "", err
	}
	if g.own == nil {
		return "Gnocchi " + build, nil
	}
	return fmt.Sprintf("Gnocchi %s: uwsgi with %d processes, metricd with %d workers, %s, Redis incoming, files", build, apiProcesses, metricdWorkers,
		g.own.postgresVersion), nil
}

// Bytes is what files and index take on the disk, when the measures are aggregated. Redis and PostgreSQL's log of changes are left out.
func (g *gnocchi) Bytes() (int64, error) {
	if g.own == nil {
		return 0, fmt.Errorf("what the data of %s take: %w", g.api.base, errors.ErrUnsupported)
	}
	return g.own.bytes()
}

func (g *gnocchi) Processes() []int {
	if g.own == nil {
		return nil
	}
	return g.own.processes()
}

// Remove deletes the resources of a run, with their metrics, and their type. The policy may be in use until Gnocchi's janitor has been there;
// then it stays.
func (g *gnocchi) Remove(o target.Options) error {
	if o.URI == "" {
		return nil
	}
	api, err := newClient(o.URI)
	if err != nil {
		return err
	}
	name := namesOf(&dataset.Set{}, o.Name).resourceType
	if there, err := api.exists("/v1/resource_type/" + name); err != nil || !there {
		return err
	}
	if err := api.eachResource(http.MethodGet, "/v1/resource/"+name, nil, func(r resource) error {
		return api.remove("/v1/resource/"+name+"/"+r.ID, http.StatusNoContent, http.StatusNotFound)
	}); err != nil {
		return err
	}
	return api.remove("/v1/resource_type/"+name, http.StatusNoContent, http.StatusNotFound)
}

func (g *gnocchi) Close() error {
	g.api.http.CloseIdleConnections()
	if g.own == nil {
		return nil
	}
	return g.own.stop()
}

func main() { target.Main("gnocchi", &gnocchi{}) }
