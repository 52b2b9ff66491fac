package publish

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/server/limit"
	"google.golang.org/protobuf/encoding/protowire"
)

// Messages for tests, put together by hand.

func pb(number protowire.Number, parts ...[]byte) []byte {
	b := protowire.AppendTag(nil, number, protowire.BytesType)
	return protowire.AppendBytes(b, bytes.Join(parts, nil))
}

func pbInt(number protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), v)
}

func pb64(number protowire.Number, v uint64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(nil, number, protowire.Fixed64Type), v)
}

func pbDouble(number protowire.Number, v float64) []byte { return pb64(number, math.Float64bits(v)) }

func pbAttr(number protowire.Number, key string, value []byte) []byte {
	return pb(number, pb(1, []byte(key)), pb(2, value))
}

func pbText(s string) []byte { return pb(1, []byte(s)) }

// pbMetrics is a request with metrics of one scope and resource.
func pbMetrics(resource []byte, metrics ...[]byte) []byte {
	return pb(1, pb(2, pb(1, pb(1, []byte("lib"))), bytes.Join(metrics, nil)), pb(1, resource))
}

func pbMetric(name, unit string, data []byte) []byte {
	return pb(2, pb(1, []byte(name)), pb(3, []byte(unit)), data)
}

var pbHost = bytes.Join([][]byte{pbAttr(1, "service.name", pbText("svc")), pbAttr(1, "host.name", pbText("h1")), pbAttr(1, "os", pbText("linux"))}, nil)

func pbRequest() []byte {
	at := pb64(3, uint64(noon))
	return pbMetrics(pbHost,
		pbMetric("temp", "Cel", pb(5, pb(1, at, pbDouble(4, 21.5), pbAttr(7, "room", pbText("a")), pbAttr(7, "n", pbInt(3, 5)),
			pbAttr(7, "l", pb(5, pb(1, pbInt(2, 1)), pb(1, pbDouble(4, 2)), pb(1))), pbAttr(7, "m", pb(6, pbAttr(1, "k", pb(7, []byte("ab"))))), pbAttr(7, "os", pbText("bsd"))))),
		pbMetric("requests", "1", pb(7, pb(1, at, pb64(6, 7)), pb(1, at, pb64(6, math.MaxUint64)), pbInt(2, 2), pbInt(3, 1))),
		pbMetric("changes", "1", pb(7, pb(1, at, pb64(6, 3), pbAttr(7, "resource_id", pbText("vm")), pbAttr(7, "user_id", pbText("u")), pbAttr(7, "project_id", pbText("p"))), pbInt(2, 1), pbInt(3, 1))),
		pbMetric("level", "1", pb(7, pb(1, at, pbDouble(4, 3)), pbInt(2, 2))),
		pbMetric("latency", "s", pb(9, pb(1, at, pb64(4, 10), pbDouble(5, 2.5), pbAttr(9, "code", pbInt(3, 200))), pbInt(2, 2))),
		pbMetric("exp", "s", pb(10, pb(1, at, pb64(4, 11), pbAttr(1, "a", pbText("b"))), pbInt(2, 1))),
		pbMetric("sum", "s", pb(11, pb(1, at, pb64(4, 12), pbDouble(5, 3)))),
		pbMetric("absent", "1", pb(5, pb(1, at, pbInt(8, 1)))),
		pbMetric("nan", "1", pb(5, pb(1, at, pbDouble(4, math.NaN())))),
		pbMetric("old", "1", pb(5, pb(1, pb64(3, math.MaxUint64), pbDouble(4, 1)))),
	)
}

func (h *house) wantSamples(want map[string][]string) {
	h.t.Helper()
	for meter, list := range want {
		resource, meter, _ := strings.Cut(meter, " ")
		var got []string
		for _, k := range h.read(resource, meter) {
			got = append(got, fmt.Sprintf("%d %v %s", (k.t-noon)/1e9, k.v, k.context))
		}
		if !slices.Equal(got, list) {
			h.t.Errorf("%s of %s:\ngot  %q\nwant %q", meter, resource, got, list)
		}
	}
}

func TestOTLP(t *testing.T) {
	h := newHouse(t, nil)
	w := post(h.OTLP(), "/v1/metrics", string(pbRequest()), "Content-Type", "application/x-protobuf")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/x-protobuf" {
		t.Fatalf("%d %q", w.Code, w.Body)
	}
	var rejected uint64
	eachField(w.Body.Bytes(), func(f *protoField) error {
		return eachField(f.bytes, func(f *protoField) error {
			if f.number == 1 {
				rejected = f.value
			}
			return nil
		})
	})
	if rejected != 3 {
		t.Errorf("%d rejected: %q", rejected, w.Body)
	}
	h.wantSamples(map[string][]string{
		"h1 temp":          {`0 21.5 - - openstack Cel gauge {"host.name":"h1","l":[true,2.0,null],"m":{"k":"YWI="},"n":5,"os":"bsd","room":"a","service.name":"svc"}`},
		"h1 requests":      {`0 -1 - - openstack 1 cumulative {"host.name":"h1","os":"linux","service.name":"svc"}`, `0 7 - - openstack 1 cumulative {"host.name":"h1","os":"linux","service.name":"svc"}`},
		"vm changes":       {`0 3 u p openstack 1 delta {"host.name":"h1","os":"linux","service.name":"svc"}`},
		"h1 level":         {`0 3 - - openstack 1 gauge {"host.name":"h1","os":"linux","service.name":"svc"}`},
		"h1 latency_count": {`0 10 - - openstack 1 cumulative {"code":200,"host.name":"h1","os":"linux","service.name":"svc"}`},
		"h1 latency_sum":   {`0 2.5 - - openstack s cumulative {"code":200,"host.name":"h1","os":"linux","service.name":"svc"}`},
		"h1 exp_count":     {`0 11 - - openstack 1 delta {"a":"b","host.name":"h1","os":"linux","service.name":"svc"}`},
		"h1 sum_count":     {`0 12 - - openstack 1 cumulative {"host.name":"h1","os":"linux","service.name":"svc"}`},
		"h1 sum_sum":       {`0 3 - - openstack s cumulative {"host.name":"h1","os":"linux","service.name":"svc"}`},
		"h1 absent":        nil, "h1 nan": nil, "h1 old": nil,
	})
	if got := h.counted(); !slices.Equal(got, []string{"otlp time 1", "otlp volume 2"}) {
		t.Error(got)
	}
	if w := post(h.OTLP(), "/v1/metrics", "", "Content-Type", "application/x-protobuf"); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("an empty request: %d %q", w.Code, w.Body)
	}
}

func TestOTLPJSON(t *testing.T) {
	h := newHouse(t, nil)
	body := `{"resourceMetrics":[{"resource":{"attributes":[{"key":"host.id","value":{"stringValue":"id1"}},{"key":"n","value":{"intValue":"5"}}]},
		"scopeMetrics":[{"scope":{"name":"x"},"metrics":[
		{"name":"a","unit":"By","gauge":{"dataPoints":[{"timeUnixNano":"` + fmt.Sprint(noon) + `","asInt":"9","attributes":[{"key":"d","value":{"doubleValue":2}},
			{"key":"l","value":{"arrayValue":{"values":[{"boolValue":true}]}}},{"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{}}]}}}]},
			{"timeUnixNano":"x","asInt":1}, {"timeUnixNano":1}]}},
		{"name":"b","sum":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA","isMonotonic":true,"dataPoints":[{"timeUnixNano":` + fmt.Sprint(noon) + `,"asDouble":1.5}]}},
		{"name":"h","unit":"s","histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":` + fmt.Sprint(noon) + `,"count":"3","sum":1.5}]}}]}]}]}`
	var z bytes.Buffer
	zw := gzip.NewWriter(&z)
	zw.Write([]byte(body))
	zw.Close()
	w := post(h.OTLP(), "/v1/metrics", z.String(), "Content-Type", "application/json; charset=utf-8", "Content-Encoding", "gzip")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || !strings.Contains(w.Body.String(), `"rejectedDataPoints":"2"`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	h.wantSamples(map[string][]string{
		"id1 a":       {`0 9 - - openstack By gauge {"d":2.0,"host.id":"id1","l":[true],"m":{"k":null},"n":5}`},
		"id1 b":       {`0 1.5 - - openstack  delta {"host.id":"id1","n":5}`},
		"id1 h_count": {`0 3 - - openstack 1 cumulative {"host.id":"id1","n":5}`},
		"id1 h_sum":   {`0 1.5 - - openstack s cumulative {"host.id":"id1","n":5}`},
	})
}

// TestOTLPOfCeilometer has the JSON that Ceilometer's publisher makes.
func TestOTLPOfCeilometer(t *testing.T) {
	h := newHouse(t, nil)
	one := func(name, description, kind, project string) string {
		return fmt.Sprintf(`{"resource_metrics": [{"scope_metrics": [{"scope": {"name": "ceilometer", "version": "v1"}, "metrics": [{"name": %q,
			"description": %q, "unit": "B", %q: {"data_points": [{"attributes": [{"key": "resource_id", "value": {"string_value": "vm"}},
			{"key": "user_id", "value": {"string_value": null}}, {"key": "project_id", "value": {"string_value": %s}}],
			"start_time_unix_nano": 1767355200, "time_unix_nano": 1767355200, "as_double": 12.5, "flags": 0}]}}]}]}]}`, name, description, kind, project)
	}
	for _, body := range []string{
		one("disk_device_usage", "disk.device.usage unit:B", "gauge", `"p"`),
		one("disk_device_read_bytes", "disk.device.read.bytes unit:B", "counter", "null"),
		one("not_it", "other.name unit:B", "gauge", "null"),
	} {
		if w := post(h.OTLP(), "/v1/metrics", body, "Content-Type", "application/json"); w.Code != http.StatusOK || w.Body.String() != "{}" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	h.wantSamples(map[string][]string{
		"vm disk.device.usage":      {`0 12.5 - p openstack B gauge {}`},
		"vm disk.device.read.bytes": {`0 12.5 - - openstack B cumulative {}`},
		"vm not_it":                 {`0 12.5 - - openstack B gauge {}`},
	})
}

func TestOTLPRefuses(t *testing.T) {
	deep := pbText("x")
	for range 200 {
		deep = pb(5, pb(1, deep))
	}
	many := pbMetrics(pbHost, pbMetric("m", "", pb(5, []byte(strings.Repeat("\x0a\x09\x21\x00\x00\x00\x00\x00\x00\x00\x00", maxSamples+1)))))
	for _, tc := range []struct {
		name, typ, body string
		status          int
		text            string
	}{
		{"another type", "text/plain", "", 415, "text/plain"},
		{"cut short", "application/x-protobuf", string(pbRequest()[:100]), 400, "unexpected EOF"},
		{"text", "application/x-protobuf", "hello", 400, ""},
		{"a length that is made up", "application/x-protobuf", "\x0a\xff\xff\xff\xff\x0f", 400, ""},
		{"deep", "application/x-protobuf", string(pbMetrics(pbAttr(1, "a", deep))), 400, "64"},
		{"samples without end", "application/x-protobuf", string(many), 400, "more than"},
		{"no JSON", "application/json", "{", 400, "valid JSON"},
		{"a list", "application/json", "[]", 400, "array"},
		{"deep JSON", "application/json", `{"resourceMetrics":[{"resource":{"attributes":[{"key":"a","value":` + strings.Repeat(`{"arrayValue":{"values":[`, 70) +
			strings.Repeat("]}}", 70) + "}]}}]}", 400, "64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHouse(t, nil)
			w := post(h.OTLP(), "/v1/metrics", tc.body, "Content-Type", tc.typ)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.text) || h.db.Stats().Samples != 0 {
				t.Errorf("%d %q, want %d with %q", w.Code, w.Body, tc.status, tc.text)
			}
			if tc.typ == "application/x-protobuf" && eachField(w.Body.Bytes(), func(*protoField) error { return nil }) != nil {
				t.Errorf("the answer is not of the request's encoding: %q", w.Body)
			}
		})
	}
}

func FuzzOTLP(f *testing.F) {
	f.Add(pbRequest())
	f.Fuzz(func(t *testing.T, in []byte) {
		d := New(nil, nil)
		w := otlpWalk{in: d.intake("", peerText(""), "")}
		_ = w.request(in)
		w.check(t, len(in))
	})
}

// check sees to it that what was made can be stored, and is not more than there was.
func (w *otlpWalk) check(t *testing.T, most int) {
	for i := range w.in.samples {
		if bad := checkSample(&w.in.samples[i]); bad != nil {
			t.Error(bad)
		}
	}
	if len(w.in.samples) > 2*most {
		t.Errorf("%d samples of %d bytes", len(w.in.samples), most)
	}
}

func FuzzOTLPJSON(f *testing.F) {
	f.Add(`{"resourceMetrics":[{"resource":{"attributes":[{"key":"host.id","value":{"stringValue":"id1"}}]},"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{"asInt":"9"}]}}]}]}]}`)
	f.Add(`{"resource_metrics":[{"scope_metrics":[{"metrics":[{"name":"a","counter":{"data_points":[{"time_unix_nano":5,"as_double":1,"attributes":[{"key":"resource_id","value":{"kvlist_value":{"values":[{"key":"a"}]}}}]}]}}]}]}]}`)
	f.Fuzz(func(t *testing.T, in string) {
		d := New(nil, nil)
		b := newReceived(t, d, in)
		defer b.Release()
		v, done, err := d.parseJSON(&b)
		if err != nil {
			return
		}
		defer done()
		w := otlpWalk{in: d.intake("", peerText(""), "")}
		_ = w.jsonRequest(v)
		w.check(t, len(in))
	})
}

// What all points of a request share is in each of their samples: a small body must not become gigabytes.
func TestSharedAttributesTakeMemory(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Budget = limit.NewBudget(32 << 20) })
	point := pb(1, pb64(3, uint64(noon)), pbDouble(4, 1))
	shared := func(n int) []byte {
		return append(slices.Clone(pbHost), pbAttr(1, "long", pbText(strings.Repeat("x", n)))...)
	}
	ask := func(shared []byte, points int) int {
		body := pbMetrics(shared, pbMetric("m", "1", pb(5, bytes.Repeat(point, points))))
		return post(h.OTLP(), PathOTLP, string(body), "Content-Type", "application/x-protobuf").Code
	}
	for _, tc := range []struct{ bytes, points, want int }{
		{1000, 5000, 200}, {900_000, 10, 200}, {900_000, 100, 413}, {2_000_000, 100, 413},
	} {
		if got := ask(shared(tc.bytes), tc.points); got != tc.want {
			t.Errorf("%d bytes, %d points: %d, want %d", tc.bytes, tc.points, got, tc.want)
		}
	}
	if got := len(h.read("h1", "m")); got != 5010 {
		t.Errorf("%d samples are stored", got)
	}
	label := strings.Repeat("x", 100_000)
	if w := post(h.Pushgateway(), "/metrics/job/j/long/"+label, strings.Repeat("p 1\n", 10), "Content-Type", "text/plain"); w.Code != 200 {
		t.Errorf("a push: %d %s", w.Code, w.Body)
	}
	lines := ""
	for i := range 1000 {
		lines += fmt.Sprintf("p%d 1\n", i)
	}
	if w := post(h.Pushgateway(), "/metrics/job/j/long/"+label, lines, "Content-Type", "text/plain"); w.Code != 413 {
		t.Errorf("a large push: %d %s", w.Code, w.Body)
	}
}
