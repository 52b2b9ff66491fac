package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/server/samples"
)

// reader is a way to read what was written.
type reader struct {
	name       string
	ceilometer bool
	ask        func(w *written) (method, path, body string)
	show       func(w *written, answer []byte) string
	seen       func(w *written) string // to those who may
	hidden     string                  // to others: what show gives, or the status
}

// oneStoreReaders are all readers. Gnocchi's API shows aggregates, here those of minutes, of which each has one sample; Ceilometer's shows times
// to the millisecond, and nothing of metrics that keep aggregates only.
var oneStoreReaders = []reader{
	{"v1 measures of the resource", false, func(w *written) (string, string, string) {
		return "GET", "/v1/resource/generic/" + w.id + "/metric/" + w.meter + "/measures?granularity=60&aggregation=mean", ""
	}, func(_ *written, b []byte) string { return points(decode(b)) }, minutes, "403"},
	{"v1 measures of the metric", false, func(w *written) (string, string, string) {
		return "GET", "/v1/metric/" + w.metric + "/measures?granularity=60&aggregation=max", ""
	}, func(_ *written, b []byte) string { return points(decode(b)) }, minutes, "403"},
	{"v1 aggregates of metrics", false, func(w *written) (string, string, string) {
		return "POST", "/v1/aggregates?granularity=60", `{"operations": "(metric ` + w.metric + ` sum)"}`
	}, func(w *written, b []byte) string { return points(dig(decode(b), "measures", w.metric, "sum")) }, minutes, "403"},
	{"v1 aggregates of a search", false, func(w *written) (string, string, string) {
		return "POST", "/v1/aggregates?granularity=60", `{"operations": "(metric ` + w.meter + ` mean)", "resource_type": "generic", "search": "id = '` + w.id + `'"}`
	}, func(w *written, b []byte) string { return points(dig(decode(b), "measures", w.id, w.meter, "mean")) }, minutes, "404"},
	{"v1 batch of metrics", false, func(w *written) (string, string, string) {
		return "GET", "/v1/batch/metrics/measures?granularity=60&aggregation=min&metric=" + w.metric, ""
	}, func(w *written, b []byte) string { return points(dig(decode(b), w.metric, "min")) }, minutes, "403"},
	{"v1 metric", false, func(w *written) (string, string, string) { return "GET", "/v1/metric/" + w.metric, "" },
		func(_ *written, b []byte) string {
			m := decode(b)
			return fmt.Sprint(dig(m, "name"), dig(m, "unit"), dig(m, "resource", "original_resource_id"), dig(m, "resource", "project_id"))
		}, func(w *written) string {
			unit := any(w.unit)
			if w.unitless {
				unit = nil
			}
			return fmt.Sprint(w.meter, unit, w.resource, nullable(w.project))
		}, "403"},
	{"v1 resource", false, func(w *written) (string, string, string) { return "GET", "/v1/resource/" + w.kind + "/" + w.id, "" },
		func(w *written, b []byte) string { return gnocchiResource(w, decode(b)) }, gnocchiWant, "403"},
	{"v1 resources", false, func(w *written) (string, string, string) {
		return "POST", "/v1/search/resource/" + w.kind, `{"=": {"original_resource_id": "` + w.resource + `"}}`
	}, func(w *written, b []byte) string {
		return each(decode(b), func(v any) string { return gnocchiResource(w, v) })
	}, func(w *written) string { return gnocchiWant(w) + "\n" }, ""},

	{"v2 samples of the meter", true, func(w *written) (string, string, string) {
		return "GET", "/v2/meters/" + w.meter + "?" + w.filter(), ""
	},
		func(_ *written, b []byte) string {
			return each(decode(b), func(v any) string {
				return row(v, "counter_name", "counter_type", "counter_unit", "counter_volume", "resource_id", "user_id", "project_id", "source", "timestamp", "resource_metadata")
			})
		}, ceilometerSamples, ""},
	{"v2 samples", true, func(w *written) (string, string, string) { return "GET", "/v2/samples?" + w.filter(), "" },
		newForm, ceilometerSamples, ""},
	{"v2 samples by metadata", true, func(w *written) (string, string, string) {
		f := filters("resource_id", w.resource, "meter", w.meter, "source", w.source)
		if strings.Contains(w.flat, "display_name") {
			f += "&" + filters("metadata.display_name", "web é")
		}
		return "GET", "/v2/samples?" + f, ""
	}, newForm, ceilometerSamples, ""},
	{"v2 samples by owner", true, func(w *written) (string, string, string) {
		f := filters("resource_id", w.resource)
		if w.project != nil {
			f += "&" + filters("project_id", *w.project, "user_id", *w.user)
		}
		return "GET", "/v2/samples?" + f, ""
	}, newForm, ceilometerSamples, "401"},
	{"v2 sample", true, func(w *written) (string, string, string) { return "GET", "/v2/samples/" + w.messageID, "" },
		func(w *written, b []byte) string { return newForm(w, slices.Concat([]byte{'['}, b, []byte{']'})) },
		func(w *written) string {
			if w.aggregated {
				return "404"
			}
			return ceilometerSample(w, 1) + "\n"
		}, "404"},
	{"v2 statistics", true, func(w *written) (string, string, string) {
		return "GET", "/v2/meters/" + w.meter + "/statistics?" + w.filter(), ""
	}, func(_ *written, b []byte) string {
		return each(decode(b), func(v any) string {
			return row(v, "count", "min", "max", "sum", "avg", "unit", "duration_start", "duration_end")
		})
	}, func(w *written) string {
		if w.aggregated {
			return ""
		}
		sum := w.volumes[0] + w.volumes[1]
		return fmt.Sprintln(2, number(w.volumes[0]), number(w.volumes[1]), number(sum), number(sum/2), w.unit, shown(w.times[0]), shown(w.times[1]))
	}, ""},
	{"v2 meters", true, func(w *written) (string, string, string) {
		return "GET", "/v2/meters?" + filters("resource_id", w.resource), ""
	},
		func(_ *written, b []byte) string {
			return each(decode(b), func(v any) string {
				return row(v, "name", "type", "unit", "resource_id", "user_id", "project_id", "source")
			})
		}, func(w *written) string {
			return fmt.Sprintln(w.meter, w.typ, w.unit, w.resource, nullable(w.user), nullable(w.project), w.source)
		}, ""},
	{"v2 resource", true, func(w *written) (string, string, string) {
		return "GET", "/v2/resources/" + url.PathEscape(w.resource), ""
	},
		func(_ *written, b []byte) string { return ceilometerResource(decode(b)) }, ceilometerWant, "404"},
	{"v2 resources", true, func(w *written) (string, string, string) {
		return "GET", "/v2/resources?" + filters("resource_id", w.resource), ""
	},
		func(_ *written, b []byte) string { return each(decode(b), ceilometerResource) },
		func(w *written) string { return ceilometerWant(w) + "\n" }, ""},
	{"v2 complex query", true, func(w *written) (string, string, string) {
		filter := fmt.Sprintf(`{"and": [{"=": {"resource_id": %q}}, {"=": {"counter_name": %q}}, {"<": {"counter_volume": 1e9}}]}`, w.resource, w.meter)
		body, err := json.Marshal(map[string]string{"filter": filter})
		if err != nil {
			panic(err)
		}
		return "POST", "/v2/query/samples", string(body)
	}, newForm, ceilometerSamples, ""},
}

func (w *written) filter() string { return filters("resource_id", w.resource, "meter", w.meter) }

func filters(pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Add("q.field", pairs[i])
		q.Add("q.op", "eq")
		q.Add("q.type", "")
		q.Add("q.value", pairs[i+1])
	}
	return q.Encode()
}

func decode(b []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return err.Error()
	}
	return v
}

// dig follows keys.
func dig(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

func each(v any, show func(v any) string) string {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprint("no list: ", v)
	}
	var b strings.Builder
	for _, x := range list {
		b.WriteString(show(x) + "\n")
	}
	return b.String()
}

// row spells members of an object; numbers as number does.
func row(v any, members ...string) string {
	var cells []string
	for _, m := range members {
		cell := dig(v, m)
		if n, ok := cell.(json.Number); ok {
			f, err := n.Float64()
			if err != nil {
				return err.Error()
			}
			cell = number(f)
		}
		cells = append(cells, fmt.Sprint(cell))
	}
	return strings.Join(cells, " ")
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func nullable(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

// points spells a list of [time, granularity, value].
func points(v any) string {
	return each(v, func(p any) string {
		l, ok := p.([]any)
		if !ok || len(l) != 3 {
			return fmt.Sprint("no point: ", p)
		}
		return row(map[string]any{"t": l[0], "g": l[1], "v": l[2]}, "t", "g", "v")
	})
}

// minutes are the points of the two samples.
func minutes(w *written) string {
	var b strings.Builder
	for i, at := range w.times {
		minute := time.Unix(0, at).UTC().Truncate(time.Minute).Format("2006-01-02T15:04:05+00:00")
		fmt.Fprintln(&b, minute, 60, number(w.volumes[i]))
	}
	return b.String()
}

func gnocchiResource(w *written, v any) string {
	kept := map[string]any{}
	if want, ok := decode([]byte(w.attributes)).(map[string]any); ok {
		for name := range want {
			kept[name] = dig(v, name)
		}
	}
	return row(v, "id", "original_resource_id", "type", "user_id", "project_id") + " " + fmt.Sprint(kept, dig(v, "metrics"))
}

func gnocchiWant(w *written) string {
	return fmt.Sprint(w.id, " ", w.resource, " ", w.kind, " ", nullable(w.user), " ", nullable(w.project), " ", decode([]byte(w.attributes)),
		" ", map[string]any{w.meter: w.metric})
}

func newForm(_ *written, b []byte) string {
	return each(decode(b), func(v any) string {
		return row(v, "meter", "type", "unit", "volume", "resource_id", "user_id", "project_id", "source", "timestamp", "metadata")
	})
}

func ceilometerSample(w *written, i int) string {
	return fmt.Sprint(w.meter, " ", w.typ, " ", w.unit, " ", number(w.volumes[i]), " ", w.resource, " ", nullable(w.user), " ", nullable(w.project), " ",
		w.source, " ", shown(w.times[i]), " ", decode([]byte(w.flat)))
}

// ceilometerSamples are the samples, the newest first.
func ceilometerSamples(w *written) string {
	if w.aggregated {
		return ""
	}
	return ceilometerSample(w, 1) + "\n" + ceilometerSample(w, 0) + "\n"
}

// shown is a time as Ceilometer's API has it.
func shown(nanos int64) string {
	t := time.Unix(0, nanos).UTC().Truncate(time.Millisecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05")
	}
	return t.Format("2006-01-02T15:04:05.000000")
}

func ceilometerResource(v any) string {
	return row(v, "resource_id", "user_id", "project_id", "source", "first_sample_timestamp", "last_sample_timestamp", "metadata")
}

func ceilometerWant(w *written) string {
	first := w.times[0]
	if w.aggregated { // the oldest that is still there, for the aggregates of its minute
		first = w.times[1]
	}
	return fmt.Sprint(w.resource, " ", nullable(w.user), " ", nullable(w.project), " ", w.source, " ", shown(first), " ", shown(w.times[1]), " ",
		decode([]byte(w.flat)))
}

// checkExport compares what is exported of the resource, with all that the store has: times to the nanosecond and metadata with their types.
func (h *oneStore) checkExport(w *written) {
	h.t.Helper()
	var out bytes.Buffer
	b := bufio.NewWriter(&out)
	lines := &jsonLines{w: b}
	q := samples.Selection{Resource: func(id string) bool { return id == w.resource }}
	skipped, err := h.store.Each(h.t.Context(), q, lines.sample)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := b.Flush(); err != nil {
		h.t.Fatal(err)
	}
	got := ""
	for line := range strings.Lines(out.String()) {
		got += row(decode([]byte(line)), "name", "type", "unit", "volume", "resource_id", "user_id", "project_id", "source", "timestamp", "resource_metadata") + "\n"
	}
	want := ""
	for i, at := range w.times {
		want += fmt.Sprintln(w.meter, w.typ, w.unit, number(w.volumes[i]), w.resource, nullable(w.user), nullable(w.project), w.source,
			string(appendTime(nil, at)), decode([]byte(w.metadata)))
	}
	if w.aggregated {
		want = ""
	}
	if got != want || w.aggregated != (skipped.NotKept > 0) {
		h.t.Errorf("%s, exported, %+v:\n got %s\nwant %s", w.door, skipped, got, want)
	}
}
