// Command tsdbv2 measures this project's server through Ceilometer's API: samples are published as Ceilometer's http publisher does, with metadata
// like nova's on each, and are listed, summed up and looked up by /v2/meters.
//
// A sample has the series' group as its source and the host as its user, which are the fields that the API filters by.
package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/bench/ceilometer"
	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/remote"
	"github.com/telemetrydb/tsdb/bench/target"
)

const (
	name         = "tsdbv2"
	publishPath  = "/v2/publish"
	changeMillis = 600_000 // metadata of a resource stay as they are for so long
)

type server struct {
	remote.Own
	set       *dataset.Set
	resources []int    // the number of each series' resource
	heads     [][]byte // of each series, what does not change of its samples
	bound     [target.MaxWriters]encoder

	clock  remote.Clock
	times  []int64
	values []float64
}

func (s *server) Open(dir string, set *dataset.Set, o target.Options) error {
	s.set = set
	s.describe()
	for i := range s.bound {
		s.bound[i] = encoder{writer: i, states: map[int]state{}}
	}
	return s.Own.Open(dir, remote.Ceilometer, o)
}

func (s *server) describe() {
	s.resources, s.heads = make([]int, len(s.set.Series)), make([][]byte, len(s.set.Series))
	known := map[string]int{}
	for i, one := range s.set.Series {
		if _, ok := known[one.Resource]; !ok {
			known[one.Resource] = len(known)
		}
		s.resources[i] = known[one.Resource]
		s.heads[i] = fmt.Appendf(nil, `{"source":%q,"counter_name":%q,"counter_type":"gauge","counter_unit":"1","user_id":%q,"project_id":%q,"resource_id":%q,"resource_metadata":`,
			one.Group, one.Metric, one.Host, one.Project, one.Resource)
	}
}

// state is what nova says about a resource at some time.
type state struct {
	number int
	text   []byte
}

// encoder makes a writer's bodies.
type encoder struct {
	writer int
	number uint64 // of samples so far
	states map[int]state
	text   []byte
}

// encode writes samples as the http publisher does: a list, each with its metadata and the fields of a message. It is valid until the next call.
func (e *encoder) encode(s *server, samples []dataset.Sample) []byte {
	out := append(e.text[:0], '[')
	for i, x := range samples {
		if i > 0 {
			out = append(out, ',')
		}
		e.number++
		out = append(append(out, s.heads[x.Series]...), e.metadata(s.resources[x.Series], x.Millis)...)
		out = remote.AppendTime(append(out, `,"timestamp":"`...), x.Millis)
		out = strconv.AppendFloat(append(out, `","counter_volume":`...), x.Value, 'g', -1, 64)
		out = fmt.Appendf(out, `,"monotonic_time":null,"message_id":"5eed0000-0000-11f0-80%02x-%012x"`, e.writer, e.number)
		// Signatures look like this; the server is not told the secret.
		out = append(out, `,"message_signature":"2f9c1f0a6cf2d1c3b1f0e7b65ad2c8f3e94a17b05d6c3e8f29b04a7c1d5e6f80"}`...)
	}
	e.text = append(out, ']')
	return e.text
}

func (e *encoder) metadata(resource int, millis int64) []byte {
	number := int(millis+137_000*int64(resource)) / changeMillis
	last, ok := e.states[resource]
	if !ok || last.number != number {
		last = state{number, ceilometer.Metadata(resource, number)}
		e.states[resource] = last
	}
	return last.text
}

func (s *server) Append(writer int, samples []dataset.Sample) error {
	answer, err := s.Client(writer).Do(http.MethodPost, publishPath, "application/json", s.bound[writer].encode(s, samples))
	if err != nil {
		return err
	}
	if want := fmt.Appendf(nil, `"stored":%d}`, len(samples)); !bytes.HasSuffix(answer, want) {
		return fmt.Errorf("publishing was answered with %.200s, want all stored", answer)
	}
	return nil
}

func (s *server) Unit() time.Duration { return time.Millisecond }

func main() { target.Main(name, &server{}) }
