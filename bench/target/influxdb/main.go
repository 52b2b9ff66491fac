// Command influxdb measures the InfluxDB 1 server over HTTP: line protocol in, InfluxQL for everything else.
//
// Samples are the field value of one measurement, with everything that is known of a series as tags, so that one question can aggregate over
// series of different metrics. The server syncs its log before each answer; wal-fsync-delay would only make answers wait for each other's sync,
// so runs that don't ask for syncs have them too.
package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/telemetrydb/tsdb/bench/child"
	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/debian"
	"github.com/telemetrydb/tsdb/bench/remote"
	"github.com/telemetrydb/tsdb/bench/target"
)

const (
	name     = "influxdb"
	database = "bench"
	fileName = "influxdb.conf"
)

// configuration has the store's directory and the addresses of backups and of HTTP. A shard that got no sample for
// some seconds is written out and compacted, which otherwise takes hours; while samples come it changes nothing.
const configuration = `reporting-disabled = true
bind-address = %[2]q
[meta]
  dir = "%[1]s/meta"
[data]
  dir = "%[1]s/data"
  wal-dir = "%[1]s/wal"
  wal-fsync-delay = "0s"
  cache-snapshot-write-cold-duration = "3s"
  compact-full-write-cold-duration = "3s"
  max-series-per-database = 0
  max-values-per-tag = 0
  query-log-enabled = false
[coordinator]
  query-timeout = "110s"
[http]
  bind-address = %[3]q
  log-enabled = false
  auth-enabled = false
[monitor]
  store-enabled = false
[logging]
  level = "warn"
`

type server struct {
	remote.Server
	dir   string
	set   *dataset.Set
	tags  []string // of each series, with its measurement, as a line begins
	lines [target.MaxWriters][]byte

	times  []int64
	values []float64
}

func (s *server) Open(dir string, set *dataset.Set, o target.Options) error {
	if err := remote.Require(o, true); err != nil {
		return err
	}
	binary, err := debian.Find(name)
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	s.Product, s.dir, s.set, s.tags = "influxd", dir, set, make([]string, len(set.Series))
	for i, one := range set.Series {
		s.tags[i] = lineStart(one)
	}
	address, err := s.configure()
	if err != nil {
		return err
	}
	if err := s.Start(dir, address, "/ping", http.Header{"Accept": {"application/csv"}}, binary, "run", "-config", filepath.Join(dir, fileName)); err != nil {
		return err
	}
	_, err = s.Reader().Do(http.MethodPost, "/query?"+url.Values{"q": {"CREATE DATABASE " + database}}.Encode(), "", nil)
	return err
}

// configure writes the configuration and returns the address of HTTP.
func (s *server) configure() (address string, err error) {
	backups, err := child.FreeAddress()
	if err != nil {
		return "", err
	}
	if address, err = child.FreeAddress(); err != nil {
		return "", err
	}
	text := fmt.Sprintf(configuration, s.dir, backups, address)
	return address, errors.Join(os.MkdirAll(s.dir, 0o755), os.WriteFile(filepath.Join(s.dir, fileName), []byte(text), 0o644))
}

func (s *server) Append(writer int, samples []dataset.Sample) error {
	body := s.lines[writer][:0]
	for _, x := range samples {
		body = appendLine(body, s.tags[x.Series], x)
	}
	s.lines[writer] = body
	_, err := s.Client(writer).Do(http.MethodPost, "/write?db="+database+"&precision=ms", "text/plain", body)
	return err
}

// Version implements target.Versioned.
func (s *server) Version() (string, error) {
	rows, err := s.ask(url.Values{"q": {"SHOW DIAGNOSTICS FOR 'build'"}})
	if err != nil {
		return "", err
	}
	if len(rows) < 2 || len(rows[0]) != len(rows[1]) {
		return "", fmt.Errorf("influxd tells no version: %q", rows)
	}
	for i, column := range rows[0] {
		if column == "Version" {
			return "influxdb " + rows[1][i], nil
		}
	}
	return "", fmt.Errorf("influxd tells no version: %q", rows)
}

func (s *server) Unit() time.Duration { return time.Millisecond }

func main() { target.Main(name, &server{}) }
