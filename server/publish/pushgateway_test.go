package publish

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// newReceived is a body as it is received.
func newReceived(t testing.TB, d *Doors, text string) received {
	t.Helper()
	b, err := d.receive(httptest.NewRequest("POST", "/", strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPushgateway(t *testing.T) {
	h := newHouse(t, nil)
	for _, tc := range []struct{ path, typ, body string }{
		{"/metrics/job/ceilometer/resource_id/vm%2F1", "plain/text", "# TYPE disk_usage gauge\n" +
			`disk_usage{resource_id="vm/1", user_id="None", project_id="p"} 12.5` + "\n# TYPE cpu counter\n" +
			`cpu{resource_id="vm/1", user_id="u", project_id="p"} 7` + "\n" + `hits{resource_id="vm/1", user_id="u", project_id="p"} 3` + "\n"},
		{"/metrics/job@base64/am9i/instance/host1/zone/z1", "text/plain; version=0.0.4", "# TYPE q summary\nq{quantile=\"0.5\"} 1\nq_sum 10\nq_count 4\nplain{zone=\"z2\"} 1\n" +
			"# TYPE lat histogram\nlat_bucket{le=\"+Inf\"} 4\nlat_sum 3\nlat_count 4\nstamped 5 1767355201500\nnan NaN\n"},
		{"/metrics/job/batch/", "text/plain", "done 1\n"},
	} {
		if w := post(h.Pushgateway(), tc.path, tc.body, "Content-Type", tc.typ); w.Code != http.StatusOK || w.Body.Len() > 0 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	for key, want := range map[string]string{
		"vm/1 disk_usage": `12.5 - p openstack  gauge {"job":"ceilometer"}`,
		"vm/1 cpu":        `7 u p openstack  cumulative {"job":"ceilometer"}`,
		"vm/1 hits":       `3 u p openstack  delta {"job":"ceilometer"}`,
		"host1 q_count":   `4 - - openstack  cumulative {"instance":"host1","job":"job","zone":"z1"}`,
		"host1 q_sum":     `10 - - openstack  cumulative {"instance":"host1","job":"job","zone":"z1"}`,
		"host1 lat_count": `4 - - openstack  cumulative {"instance":"host1","job":"job","zone":"z1"}`,
		"host1 plain":     `1 - - openstack  gauge {"instance":"host1","job":"job","zone":"z2"}`,
		"batch done":      `1 - - openstack  gauge {"job":"batch"}`,
	} {
		resource, meter, _ := strings.Cut(key, " ")
		got := h.read(resource, meter)
		value, context, _ := strings.Cut(want, " ")
		if len(got) != 1 || got[0].t != arrival || got[0].context != context || formatted(got[0].v) != value {
			t.Errorf("%s: %+v, want %s", key, got, want)
		}
	}
	if got := h.read("host1", "stamped"); len(got) != 1 || got[0].t != noon+1_500_000_000 {
		t.Errorf("%+v", got)
	}
	if got := h.counted(); !slices.Equal(got, []string{"pushgateway volume 1"}) {
		t.Error(got)
	}
}

func formatted(v float64) string { return strings.TrimSuffix(string(appendPyFloat(nil, v)), ".0") }

func TestPushgatewayRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, path, body string
		status           int
	}{
		{"no job", "/metrics/instance/a", "a 1\n", 400},
		{"an empty job", "/metrics/job/", "a 1\n", 400},
		{"a label without a value", "/metrics/job/a/b", "a 1\n", 400},
		{"not base64", "/metrics/job@base64/!", "a 1\n", 400},
		{"no text format", "/metrics/job/a", "{}", 400},
		{"half a line", "/metrics/job/a", "good 1\nbad{x=\"", 400},
		{"a label that is not escaped", "/metrics/job/a", "good 1\nbad{x=\"a\"b\"} 1\n", 400},
		{"nothing that is sound", "/metrics/job/a", "good NaN\n", 400},
		{"a time out of range", "/metrics/job/a", "good 1 -5\n", 400},
	} {
		h := newHouse(t, nil)
		if w := post(h.Pushgateway(), tc.path, tc.body); w.Code != tc.status || h.db.Stats().Samples != 0 {
			t.Errorf("%s: %d %s, %d samples", tc.name, w.Code, w.Body, h.db.Stats().Samples)
		}
	}
}

func FuzzPushgateway(f *testing.F) {
	f.Add("# TYPE a counter\na{resource_id=\"r\",user_id=\"None\"} 1 5\n# TYPE h histogram\nh_count 4\nh_sum 3\n", "/metrics/job/j/a@base64/YQ")
	f.Fuzz(func(t *testing.T, in, path string) {
		grouping, err := groupingOf(path)
		if err != nil {
			return
		}
		p := expfmt.NewTextParser(model.UTF8Validation)
		families, err := p.TextToMetricFamilies(strings.NewReader(in))
		if err != nil {
			return
		}
		d := New(nil, nil)
		g := pushed{in: d.intake("", peerText(""), ""), grouping: grouping, untyped: "gauge"}
		for name, f := range families {
			g.family(name, f)
		}
		(&otlpWalk{in: g.in}).check(t, len(in))
	})
}
