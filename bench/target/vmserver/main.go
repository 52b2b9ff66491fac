// Command vmserver measures VictoriaMetrics' single-node server over HTTP, in the version that Debian packages: remote write in, export for raw
// samples, range queries for means.
package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/telemetrydb/tsdb/bench/child"
	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/debian"
	"github.com/telemetrydb/tsdb/bench/promwire"
	"github.com/telemetrydb/tsdb/bench/remote"
	"github.com/telemetrydb/tsdb/bench/target"
)

const (
	name      = "vmserver"
	writePath = "/api/v1/write"
)

type server struct {
	remote.Server
	binary   string
	set      *dataset.Set
	encoders [target.MaxWriters]*promwire.Encoder
	times    []int64
	values   []float64
}

func (s *server) Open(dir string, set *dataset.Set, o target.Options) (err error) {
	if err := remote.Require(o, false); err != nil {
		return err
	}
	s.set = set
	labels := promwire.Labels(set)
	for i := range s.encoders {
		s.encoders[i] = promwire.NewEncoder(labels)
	}
	if s.binary, err = debian.Find(name); err != nil {
		return err
	}
	address, err := child.FreeAddress()
	if err != nil {
		return err
	}
	s.Product = "victoria-metrics"
	return s.Start(dir, address, "/health", nil, s.binary, "-storageDataPath="+dir, "-httpListenAddr="+address, "-retentionPeriod=100y",
		"-loggerLevel=WARN", "-search.disableCache")
}

func (s *server) Append(writer int, samples []dataset.Sample) error {
	return promwire.Write(s.Client(writer), writePath, s.encoders[writer], samples)
}

// Settle merges all parts of each partition, which the server answers before it is done.
func (s *server) Settle() error {
	for _, path := range []string{"/internal/force_flush", "/internal/force_merge"} {
		if _, err := s.Reader().Get(path); err != nil {
			return err
		}
	}
	return s.awaitMerges()
}

func (s *server) Scan(sel target.Selection, from, to int64, emit func([]int64, []float64)) error {
	answer, err := s.Reader().Get("/api/v1/export?" + exportQuery(promwire.Selector(s.set, sel), from, to))
	if err != nil {
		return err
	}
	return s.readExport(answer, emit)
}

// Means implements target.Averager.
func (s *server) Means(series int, from, to int64, width time.Duration) (n int, sum float64, err error) {
	one := target.Selection{Series: series}
	if w := width.Milliseconds(); !remote.Whole(s.set, from, to, w) {
		return remote.Folded(s, one, from, to, w)
	}
	return s.ask(fmt.Sprintf("avg_over_time(%s[%s])", promwire.Selector(s.set, one), milliseconds(width)), from, to, width)
}

// GroupMeans implements target.GroupAverager.
func (s *server) GroupMeans(key, value string, from, to int64, width time.Duration) (n int, sum float64, err error) {
	group := target.Selection{Key: key, Value: value}
	if w := width.Milliseconds(); !remote.Whole(s.set, from, to, w) {
		return remote.Folded(s, group, from, to, w)
	}
	return s.ask(promwire.GroupMean(promwire.Selector(s.set, group), milliseconds(width)), from, to, width)
}

// milliseconds is a window of which the start is not part and the end is.
func milliseconds(width time.Duration) string { return fmt.Sprintf("%dms", width.Milliseconds()) }

func (s *server) ask(expression string, from, to int64, width time.Duration) (n int, sum float64, err error) {
	q := promwire.Range(expression, from, to, width.Milliseconds())
	q.Set("nocache", "1") // else the start is moved to a whole step
	answer, err := s.Reader().Get("/api/v1/query_range?" + q.Encode())
	if err != nil {
		return 0, 0, err
	}
	return promwire.SumMatrix(answer)
}

func (s *server) Lookup(key, value string) (series, nameBytes int, err error) {
	return promwire.Lookup(s.Reader(), s.set, key, value)
}

// Version implements target.Versioned. Debian's build doesn't know its own.
func (s *server) Version() (string, error) {
	v := debian.Version(name, s.binary)
	if v == "" {
		return "", errors.New("the server tells no version, and no package says it")
	}
	return "victoria-metrics " + v, nil
}

// NotAtRest leaves out caches besides, which are made anew when lost.
func (s *server) NotAtRest() []string { return append(s.Server.NotAtRest(), "cache") }

func (s *server) Unit() time.Duration { return time.Millisecond }

func main() { target.Main(name, &server{}) }
