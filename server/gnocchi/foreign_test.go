package gnocchi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/telemetrydb/tsdb/server/ingest"
	"github.com/telemetrydb/tsdb/server/limit"
)

// remoteSeries is a series of a write request with one sample.
func remoteSeries(millis int64, v float64, labels ...string) []byte {
	part := func(number byte, b []byte) []byte {
		return append(binary.AppendUvarint([]byte{number<<3 | 2}, uint64(len(b))), b...)
	}
	var all []byte
	for i := 0; i < len(labels); i += 2 {
		all = append(all, part(1, append(part(1, []byte(labels[i])), part(2, []byte(labels[i+1]))...))...)
	}
	sample := binary.LittleEndian.AppendUint64([]byte{1<<3 | 1}, math.Float64bits(v))
	return part(1, append(all, part(2, binary.AppendUvarint(append(sample, 2<<3), uint64(millis)))...))
}

// send posts a body as a user and gives status and answer.
func (h *harness) send(path, user string, body []byte, headers ...string) (int, string) {
	r := httptest.NewRequest("POST", path, bytes.NewReader(body))
	r.SetBasicAuth(user, "")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func newForeignHarness(t *testing.T) (*harness, *ingest.Refused) {
	h, refused := newHarness(t), ingest.NewRefused()
	h.handler = New(h.db, &Options{MaxBodyBytes: 64 << 10, Refused: refused, Budget: limit.NewBudget(1 << 20)})
	for _, one := range [][2]string{
		{"/v1/archive_policy", `{"name": "p", "definition": [{"granularity": "1 second"}]}`},
		{"/v1/archive_policy_rule", `{"name": "r", "metric_pattern": "up*", "archive_policy_name": "p"}`},
	} {
		if code, answer := h.send(one[0], "admin", []byte(one[1]), "Content-Type", "application/json"); code != 201 {
			t.Fatalf("%s: %d %s", one[0], code, answer)
		}
	}
	return h, refused
}

// refusals are the counts by reason, as text.
func refusals(t *testing.T, r *ingest.Refused) string {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(r)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			all[m.GetLabel()[1].GetValue()] = int(m.GetCounter().GetValue())
		}
	}
	return fmt.Sprint(all)
}

// secondUp is a request of version 2: the symbols "", __name__ and up, and a series of them with a sample of 1 at 1.7 s.
var secondUp = []byte("\x22\x00\x22\x08__name__\x22\x02up\x2a\x12\x0a\x02\x01\x02\x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xa4\x0d")

func TestPrometheusWrite(t *testing.T) {
	h, refused := newForeignHarness(t)
	const path = "/v1/prometheus/write"
	up := remoteSeries(1500, 1, "__name__", "up", "job", "node", "instance", "h:9100")
	for _, tc := range []struct {
		name, user string
		body       []byte
		status     int
		answer     string
		samples    uint64 // stored in all
	}{
		{"who may not make the type", "foobar", up, 403, "", 0},
		{"the first", "admin", up, 202, "", 1},
		{"the type is there now", "foobar", up, 202, "", 2},
		{"in part", "admin", append(remoteSeries(1, 1, "__name__", "up", "job", "a/b"), remoteSeries(1600, 2, "__name__", "up2")...), 400, "a/b", 3},
		{"no rule", "admin", remoteSeries(1, 1, "__name__", "down"), 400, "no archive policy rule found matching the metric name down", 3},
		{"no name", "admin", remoteSeries(1, 1, "job", "node"), 400, "no name", 3},
		{"nothing", "admin", nil, 202, "", 3},
	} {
		code, answer := h.send(path, tc.user, snappy.Encode(nil, tc.body), "Content-Encoding", "snappy", "Content-Type", "application/x-protobuf")
		if stored := h.db.Stats().Samples; code != tc.status || !strings.Contains(answer, tc.answer) || stored != tc.samples {
			t.Errorf("%s: %d %s, %d samples; want %d, %d", tc.name, code, answer, stored, tc.status, tc.samples)
		}
	}
	r, err := h.db.ResourceType("prometheus")
	if err != nil || len(r.Attributes) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, tc := range []struct {
		name    string
		body    []byte
		headers []string
		status  int
	}{
		{"not compressed", up, nil, 400},
		{"version 3", snappy.Encode(nil, up), []string{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v3.Request"}, 415},
		{"version 2", snappy.Encode(nil, secondUp), []string{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"}, 202},
		{"a symbol that is not there", snappy.Encode(nil, secondUp[4:]), []string{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"}, 400},
		{"another compression", snappy.Encode(nil, up), []string{"Content-Encoding", "zstd"}, 415},
		{"a bomb", snappy.Encode(nil, make([]byte, 32<<10)), nil, 413},
		{"too large", make([]byte, 32<<10), nil, 413},
	} {
		if code, answer := h.send(path, "admin", tc.body, tc.headers...); code != tc.status {
			t.Errorf("%s: %d %s, want %d", tc.name, code, answer, tc.status)
		}
	}
	if got, want := refusals(t, refused), "map[forbidden:1 no name:1 no policy:1 resource id:1]"; got != want {
		t.Errorf("refused %s, want %s", got, want)
	}
}

func TestInfluxBodies(t *testing.T) {
	h, refused := newForeignHarness(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "up,host=a v=1 5\nup,host=a v=2,text=\"x\" 6")
	z.Close()
	var bomb bytes.Buffer
	z = gzip.NewWriter(&bomb)
	z.Write(bytes.Repeat([]byte("up,host=a v=1 5\n"), 4<<10))
	z.Close()
	for _, tc := range []struct {
		name   string
		body   []byte
		coding string
		status int
	}{
		{"compressed", packed.Bytes(), "gzip", 204},
		{"a bomb", bomb.Bytes(), "gzip", 413},
		{"not compressed", []byte("up,host=a v=1 5"), "gzip", 400},
		{"another compression", packed.Bytes(), "br", 415},
		{"a bad line", []byte("up,host=a v=1\nnonsense\n"), "", 400},
	} {
		headers := []string{"Content-Type", "text/plain"}
		if tc.coding != "" {
			headers = append(headers, "Content-Encoding", tc.coding)
		}
		if code, answer := h.send("/v1/influxdb/write?db=generic", "admin", tc.body, headers...); code != tc.status {
			t.Errorf("%s: %d %s, want %d", tc.name, code, answer, tc.status)
		}
	}
	if got, want := refusals(t, refused), "map[line:2 text:1]"; got != want {
		t.Errorf("refused %s, want %s", got, want)
	}
	if n := h.db.Stats().Samples; n != 2 {
		t.Errorf("%d samples", n)
	}
}
