// Command promserver measures the Prometheus server over HTTP: remote write in, remote read for raw samples, range queries for means.
//
// The server cannot be told to write its newest two hours as a block. Settle has it make a snapshot, which does, and goes on with that in place
// of the data, as one restores a backup; otherwise the bytes at rest were those of its log.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/telemetrydb/tsdb/bench/child"
	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/debian"
	"github.com/telemetrydb/tsdb/bench/promwire"
	"github.com/telemetrydb/tsdb/bench/remote"
	"github.com/telemetrydb/tsdb/bench/target"
)

const (
	name = "promserver"
	// configuration scrapes nothing. The window lets writers be apart by more than the head allows.
	configuration = "global: {}\nstorage: {tsdb: {out_of_order_time_window: 30m}}\n"
	writePath     = "/api/v1/write"
)

type server struct {
	remote.Server
	dir      string
	set      *dataset.Set
	labels   [][]byte
	encoders [target.MaxWriters]*promwire.Encoder
	raw      []byte // an answer of remote read, unpacked
	times    []int64
	values   []float64
	collide  bool // the group has series that differ in name alone
}

func (s *server) Open(dir string, set *dataset.Set, o target.Options) error {
	if err := remote.Require(o, false); err != nil {
		return err
	}
	s.dir, s.set, s.labels = dir, set, promwire.Labels(set)
	for i := range s.encoders {
		s.encoders[i] = promwire.NewEncoder(s.labels)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(s.path("prometheus.yml"), []byte(configuration), 0o644); err != nil {
		return err
	}
	return s.start()
}

func (s *server) path(name string) string { return filepath.Join(s.dir, name) }

func (s *server) start() error {
	binary, err := debian.Find(name)
	if err != nil {
		return err
	}
	address, err := child.FreeAddress()
	if err != nil {
		return err
	}
	s.Product = "prometheus"
	return s.Start(s.dir, address, "/-/ready", nil, binary, "--config.file="+s.path("prometheus.yml"), "--storage.tsdb.path="+s.path("data"),
		"--storage.tsdb.retention.time=100y", "--web.listen-address="+address, "--web.enable-remote-write-receiver", "--web.enable-admin-api",
		"--log.level=warn")
}

func (s *server) Append(writer int, samples []dataset.Sample) error {
	return promwire.Write(s.Client(writer), writePath, s.encoders[writer], samples)
}

func (s *server) Settle() error {
	answer, err := s.Reader().Do(http.MethodPost, "/api/v1/admin/tsdb/snapshot", "", nil)
	if err != nil {
		return err
	}
	var made struct{ Data struct{ Name string } }
	if err := json.Unmarshal(answer, &made); err != nil || made.Data.Name == "" {
		return fmt.Errorf("no snapshot: %.200s", answer)
	}
	if err := s.Close(); err != nil {
		return err
	}
	fresh := s.path("settled")
	if err := errors.Join(os.Rename(filepath.Join(s.path("data"), "snapshots", made.Data.Name), fresh),
		os.RemoveAll(s.path("data")), os.Rename(fresh, s.path("data"))); err != nil {
		return err
	}
	return s.start()
}

func (s *server) Scan(sel target.Selection, from, to int64, emit func([]int64, []float64)) error {
	matchers := []*prompb.LabelMatcher{{Name: sel.Key, Value: sel.Value}}
	if sel.Key == "" {
		one := s.set.Series[sel.Series]
		matchers = []*prompb.LabelMatcher{{Name: "__name__", Value: one.Metric}, {Name: "resource", Value: one.Resource}}
	}
	ask := prompb.ReadRequest{Queries: []*prompb.Query{{StartTimestampMs: from, EndTimestampMs: to, Matchers: matchers}}}
	body, err := ask.Marshal()
	if err != nil {
		return err
	}
	answer, err := s.Reader().Do(http.MethodPost, "/api/v1/read", "application/x-protobuf", snappy.Encode(nil, body))
	if err != nil {
		return err
	}
	if s.raw, err = snappy.Decode(s.raw[:cap(s.raw)], answer); err != nil {
		return err
	}
	var read prompb.ReadResponse
	if err := read.Unmarshal(s.raw); err != nil {
		return err
	}
	for _, result := range read.Results {
		for _, one := range result.Timeseries {
			s.times, s.values = s.times[:0], s.values[:0]
			for _, x := range one.Samples {
				s.times, s.values = append(s.times, x.Timestamp), append(s.values, x.Value)
			}
			emit(s.times, s.values)
		}
	}
	return nil
}

// Means implements target.Averager.
func (s *server) Means(series int, from, to int64, width time.Duration) (n int, sum float64, err error) {
	one := target.Selection{Series: series}
	if w := width.Milliseconds(); !remote.Whole(s.set, from, to, w) {
		return remote.Folded(s, one, from, to, w)
	}
	return s.ask(fmt.Sprintf("avg_over_time(%s[%s])", promwire.Selector(s.set, one), inside(width)), from, to, width)
}

// GroupMeans implements target.GroupAverager. Functions over time drop the names of metrics, and the server refuses to have two series that
// differ in nothing else. Where a group has such, its samples are fetched and added up here, which is what a user can do.
func (s *server) GroupMeans(key, value string, from, to int64, width time.Duration) (n int, sum float64, err error) {
	group := target.Selection{Key: key, Value: value}
	w := width.Milliseconds()
	if !s.collide && remote.Whole(s.set, from, to, w) {
		n, sum, err = s.ask(promwire.GroupMean(promwire.Selector(s.set, group), inside(width)), from, to, width)
		var refused *remote.StatusError
		if !errors.As(err, &refused) || !strings.Contains(refused.Text, "same labelset") {
			return n, sum, err
		}
		s.collide = true
	}
	return remote.Folded(s, group, from, to, w)
}

// inside is the window of a bucket: a sample at either of a window's ends is in it, hence the millisecond.
func inside(width time.Duration) string { return fmt.Sprintf("%dms", width.Milliseconds()-1) }

func (s *server) ask(expression string, from, to int64, width time.Duration) (n int, sum float64, err error) {
	q := promwire.Range(expression, from, to, width.Milliseconds())
	answer, err := s.Reader().Get("/api/v1/query_range?" + q.Encode())
	if err != nil {
		return 0, 0, err
	}
	return promwire.SumMatrix(answer)
}

func (s *server) Lookup(key, value string) (series, nameBytes int, err error) {
	return promwire.Lookup(s.Reader(), s.set, key, value)
}

// Version implements target.Versioned.
func (s *server) Version() (string, error) {
	answer, err := s.Reader().Get("/api/v1/status/buildinfo")
	if err != nil {
		return "", err
	}
	var info struct{ Data struct{ Version string } }
	err = json.Unmarshal(answer, &info)
	return "prometheus " + info.Data.Version, err
}

func (s *server) Unit() time.Duration { return time.Millisecond }

func main() { target.Main(name, &server{}) }
