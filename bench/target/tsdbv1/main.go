// Command tsdbv1 measures this project's server through Gnocchi's API, as Ceilometer and a dashboard use it: measures come in batches of resources
// that create metrics, and are read as points, resampled points and aggregates.
//
// The API has no raw samples. The archive policy has a granularity of a millisecond, whose means are the samples; they take no room besides these.
// Its answers have times in whole seconds, as Gnocchi's: the times of a set that has fractions are not exact.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/remote"
	"github.com/telemetrydb/tsdb/bench/target"
)

const (
	name         = "tsdbv1"
	policyName   = "bench"
	resourceType = "bench"
	fine         = "0.001"      // granularity that keeps samples as they are
	coarse       = "300"        // granularity of means besides, of sets that are sampled faster
	forEver      = "36500 days" // timespan of both
	coarseMillis = 300_000
	jsonType     = "application/json"
	batchPath    = "/v1/batch/resources/metrics/measures?create_metrics=true"
)

type server struct {
	remote.Own
	set   *dataset.Set
	rank  []int // of each series, in an order in which those of a resource are neighbours
	bound [target.MaxWriters]body

	making sync.Mutex
	made   map[string]bool // resources

	clock  remote.Clock
	times  []int64
	values []float64
}

func (s *server) Open(dir string, set *dataset.Set, o target.Options) error {
	s.set, s.made = set, map[string]bool{}
	s.rank = ranks(set)
	if err := s.Own.Open(dir, remote.Gnocchi, o); err != nil {
		return err
	}
	return s.prepare()
}

// ranks gives each series its place in the order of resources.
func ranks(set *dataset.Set) []int {
	first := map[string]int{}
	order := make([]int, len(set.Series))
	for i, one := range set.Series {
		order[i] = i
		if _, ok := first[one.Resource]; !ok {
			first[one.Resource] = i
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return first[set.Series[a].Resource] - first[set.Series[b].Resource] })
	rank := make([]int, len(order))
	for place, i := range order {
		rank[i] = place
	}
	return rank
}

// prepare makes the archive policy and the type of resources, unless they are there.
func (s *server) prepare() error {
	definition := []any{map[string]string{"granularity": fine, "timespan": forEver}}
	definition = append(definition, map[string]string{"granularity": coarse, "timespan": forEver})
	policy := map[string]any{"name": policyName, "definition": definition, "aggregation_methods": []string{"mean", "sum", "count"}, "raw_timespan": nil}
	host := map[string]any{"type": "string", "required": false}
	return errors.Join(s.create("/v1/archive_policy", policy),
		s.create("/v1/resource_type", map[string]any{"name": resourceType, "attributes": map[string]any{"host": host}}))
}

// create posts a description of what may be there already.
func (s *server) create(path string, description any) error {
	text, err := json.Marshal(description)
	if err != nil {
		return err
	}
	_, err = s.Reader().Do(http.MethodPost, path, jsonType, text)
	return unless(err, http.StatusConflict)
}

// unless is err, or nil if that is an answer of this status.
func unless(err error, status int) error {
	var answered *remote.StatusError
	if errors.As(err, &answered) && answered.Status == status {
		return nil
	}
	return err
}

func (s *server) Append(writer int, samples []dataset.Sample) error {
	if err := s.makeResources(writer, samples); err != nil {
		return err
	}
	_, err := s.Client(writer).Do(http.MethodPost, batchPath, jsonType, s.bound[writer].encode(s.set, s.rank, samples))
	return err
}

// makeResources creates those that come for the first time, one by one as Ceilometer does.
func (s *server) makeResources(writer int, samples []dataset.Sample) error {
	s.making.Lock()
	defer s.making.Unlock()
	for _, x := range samples {
		one := &s.set.Series[x.Series]
		if s.made[one.Resource] {
			continue
		}
		text, err := json.Marshal(map[string]string{"id": one.Resource, "project_id": one.Project, "host": one.Host})
		if err != nil {
			return err
		}
		_, err = s.Client(writer).Do(http.MethodPost, "/v1/resource/"+resourceType, jsonType, text)
		if err := unless(err, http.StatusConflict); err != nil {
			return err
		}
		s.made[one.Resource] = true
	}
	return nil
}

func (s *server) Unit() time.Duration { return time.Millisecond }

func main() { target.Main(name, &server{}) }

// errShape is an answer that isn't what the API documents.
func errShape(answer []byte) error { return fmt.Errorf("unexpected answer: %.200s", answer) }
