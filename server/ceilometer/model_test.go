package ceilometer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/server/samples"
)

// modelSample is a sample as the model knows it: its document.
type modelSample struct {
	id, meter, typ, unit, resource, source string
	user, project                          any // a text, or nil
	volume                                 float64
	ms                                     int64
	metadata                               map[string]any
}

// model evaluates the specification naively over all samples.
type model struct {
	rng *rand.Rand
	all []modelSample
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// fill stores random samples.
func (m *model) fill(h *harness, n int) {
	begin := at("2024-01-01T00:00:00")
	var in []samples.Sample
	for range n {
		r := m.rng
		s := modelSample{meter: pick(r, "cpu", "mem", "disk"), typ: "gauge", unit: pick(r, "%", "%", "B"), resource: fmt.Sprint("r", r.IntN(6)),
			source: pick(r, "openstack", "other"), user: pick[any](r, "u1", "u2", nil), project: pick[any](r, "p1", "p2", "p3", nil),
			volume: pick(r, float64(r.IntN(10)), r.NormFloat64()*1e6, 0.1), ms: begin/milli + int64(r.IntN(600_000))}
		text := m.metadata()
		if err := json.Unmarshal([]byte(text), &s.metadata); err != nil {
			panic(err)
		}
		x := samples.Sample{Meter: s.meter, Type: s.typ, Unit: s.unit, Volume: s.volume, ResourceID: s.resource, Source: s.source,
			Time: s.ms*milli + int64(r.IntN(int(milli))), Metadata: []byte(text)}
		if u, ok := s.user.(string); ok {
			x.UserID = &u
		}
		if p, ok := s.project.(string); ok {
			x.ProjectID = &p
		}
		in, m.all = append(in, x), append(m.all, s)
	}
	for i := 0; i < len(in); {
		j := min(len(in), i+1+m.rng.IntN(40))
		for k, id := range h.write(in[i:j]...) {
			m.all[i+k].id = id
		}
		i = j
	}
}

func (m *model) scalar() string {
	return pick(m.rng, "1", "2", "1.0", "2.5", "true", "false", `"1"`, `"x"`, `"True"`, `"it's"`, "null")
}

func (m *model) metadata() string {
	var members []string
	for _, key := range []string{"a", "b", "c"} {
		switch m.rng.IntN(5) {
		case 0:
		case 1:
			members = append(members, fmt.Sprintf(`%q: {"x": %s, "y": {"z": %s}}`, key, m.scalar(), m.scalar()))
		case 2:
			members = append(members, fmt.Sprintf(`%q: [%s, %s]`, key, strings.Replace(m.scalar(), "null", "7", 1), strings.Replace(m.scalar(), "null", "7", 1)))
		default:
			members = append(members, fmt.Sprintf(`%q: %s`, key, m.scalar()))
		}
	}
	return "{" + strings.Join(members, ", ") + "}"
}

// stored is what a document has at a path; not there: nil, false.
func stored(doc map[string]any, path string) (any, bool) {
	head, rest, deeper := strings.Cut(path, ".")
	x, ok := doc[head]
	if !deeper || !ok {
		return x, ok
	}
	below, _ := x.(map[string]any)
	return stored(below, rest)
}

// equalMongo is equality of what is stored with what is asked for.
func equalMongo(have, want any) bool {
	if l, ok := have.([]any); ok {
		for _, x := range l {
			if x == want {
				return true
			}
		}
		return false
	}
	if _, ok := have.(map[string]any); ok {
		return false
	}
	return have == want
}

// condition is a filter of q, with its meaning.
type condition struct {
	text string
	ok   func(s *modelSample) bool
}

func (m *model) condition() condition {
	r := m.rng
	switch r.IntN(7) {
	case 0:
		v := pick(r, "u1", "u2", "nobody")
		return condition{pick(r, "user", "user_id") + " eq " + v, func(s *modelSample) bool { return s.user == any(v) }}
	case 1:
		v := pick(r, "p1", "p2", "p4")
		return condition{pick(r, "project", "project_id") + " eq " + v, func(s *modelSample) bool { return s.project == any(v) }}
	case 2:
		v := fmt.Sprint("r", r.IntN(7))
		return condition{pick(r, "resource", "resource_id") + " eq " + v, func(s *modelSample) bool { return s.resource == v }}
	case 3:
		v := pick(r, "openstack", "other")
		return condition{"source eq " + v, func(s *modelSample) bool { return s.source == v }}
	}
	path := pick(r, "a", "b", "c") + pick(r, "", "", "", ".x", ".y.z")
	typ, text, want := "", "", any(nil)
	switch r.IntN(6) {
	case 0:
		typ, text, want = pick(r, "", "integer", "float"), "1", 1.0
	case 1:
		text, want = pick(r, "2.5", "25e-1"), 2.5
	case 2:
		text, want = pick(r, "x", "'x'", "string::x"), "x"
	case 3:
		text, want = pick(r, "True", "boolean::yes"), true
	case 4:
		text, want = pick(r, "string::1", "'1'"), "1"
	case 5:
		text, want = "None", nil
	}
	if typ != "" {
		text = typ + "::" + text
	}
	return condition{pick(r, "metadata.", "resource_metadata.") + path + " eq " + text, func(s *modelSample) bool {
		x, _ := stored(s.metadata, path)
		return equalMongo(x, want)
	}}
}

// filters are some conditions on different fields, and times.
func (m *model) filters() (texts []string, ok func(s *modelSample) bool, lower, upper *int64) {
	var all []condition
	seen := map[string]bool{}
	for range m.rng.IntN(3) {
		c := m.condition()
		field := strings.TrimPrefix(strings.TrimSuffix(strings.Fields(c.text)[0], "_id"), "resource_")
		if !seen[field] {
			seen[field] = true
			all = append(all, c)
		}
	}
	begin := at("2024-01-01T00:00:00") / milli
	bound := func() (int64, string) {
		ms := begin + int64(m.rng.IntN(600_000))
		if m.rng.IntN(2) == 0 && len(m.all) > 0 {
			ms = m.all[m.rng.IntN(len(m.all))].ms
		}
		return ms, time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000")
	}
	if m.rng.IntN(2) == 0 {
		ms, text := bound()
		lower = &ms
		op := pick(m.rng, "ge", "gt")
		all = append(all, condition{"timestamp " + op + " " + text, func(s *modelSample) bool { return s.ms > ms || op == "ge" && s.ms == ms }})
	}
	if m.rng.IntN(2) == 0 {
		ms, text := bound()
		upper = &ms
		op := pick(m.rng, "le", "lt")
		all = append(all, condition{"timestamp " + op + " " + text, func(s *modelSample) bool { return s.ms < ms || op == "le" && s.ms == ms }})
	}
	m.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, c := range all {
		texts = append(texts, c.text)
	}
	return texts, func(s *modelSample) bool {
		for _, c := range all {
			if !c.ok(s) {
				return false
			}
		}
		return true
	}, lower, upper
}

func (m *model) where(ok func(s *modelSample) bool) (out []*modelSample) {
	for i := range m.all {
		if s := &m.all[i]; ok(s) {
			out = append(out, s)
		}
	}
	return out
}

// sameSamples compares an answer with samples: as a set, in the order of times, newest first.
func (m *model) sameSamples(t *testing.T, what string, got any, id string, want []*modelSample) {
	t.Helper()
	ids := map[string]*modelSample{}
	for _, s := range want {
		ids[s.id] = s
	}
	last := "9"
	for _, x := range got.([]any) {
		o := x.(map[string]any)
		if ids[o[id].(string)] == nil || o["timestamp"].(string) > last {
			t.Errorf("%s: %v is not wanted, or here", what, o)
		}
		last = o["timestamp"].(string)
		delete(ids, o[id].(string))
	}
	if len(ids) > 0 {
		t.Errorf("%s: %d of %d are missing", what, len(ids), len(want))
	}
}

func newModel(t *testing.T) (*model, *harness) {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	m, h := &model{rng: rand.New(rand.NewPCG(seed, 1))}, newHarness(t)
	m.fill(h, 400)
	return m, h
}

// TestModelFilters compares lists of samples, for everybody and for one project, with what the model selects.
func TestModelFilters(t *testing.T) {
	m, h := newModel(t)
	for range 300 {
		texts, ok, _, _ := m.filters()
		meter, path, id := pick(m.rng, "", "cpu", "mem"), "/v2/samples?", "id"
		if meter != "" {
			path, id = "/v2/meters/"+meter+"?", "message_id"
		}
		path += "limit=1000&" + q(texts...)
		header, own := as("p1"), m.rng.IntN(3) == 0
		if !own {
			header = nil
		}
		w := h.ask("GET", path, "", header)
		if own && slices.ContainsFunc(texts, func(s string) bool { return strings.HasPrefix(s, "project") && !strings.HasSuffix(s, " p1") }) {
			if w.Code != 401 {
				t.Errorf("%s: %d", path, w.Code)
			}
			continue
		}
		m.sameSamples(t, strings.Join(texts, "; ")+" "+meter, h.decoded(w, 200), id, m.where(func(s *modelSample) bool {
			return ok(s) && (meter == "" || s.meter == meter) && (!own || s.project == any("p1"))
		}))
	}
}

// TestModelStatistics compares statistics with their definition.
func TestModelStatistics(t *testing.T) {
	m, h := newModel(t)
	oldest := slices.MinFunc(m.all, func(a, b modelSample) int { return cmp.Compare(a.ms, b.ms) }).ms
	for range 200 {
		texts, ok, lower, upper := m.filters()
		period := pick(m.rng, 0, 1, 7, 60, 100_000)
		groups := pick(m.rng, nil, []string{"resource_id"}, []string{"user_id", "project_id"}, []string{"source"})
		args := url.Values{"period": {strconv.Itoa(period)}, "groupby": groups}
		asked := m.rng.IntN(2) == 0
		if asked {
			args["aggregate.func"], args["aggregate.param"] = []string{"cardinality", "stddev", "count"}, []string{"user_id"}
		}
		path := "/v2/meters/cpu/statistics?" + args.Encode() + "&" + q(texts...)
		want := m.where(func(s *modelSample) bool { return s.meter == "cpu" && ok(s) })
		origin := oldest
		if lower != nil {
			origin = *lower
		}
		byKey := map[string][]*modelSample{}
		for _, s := range want {
			k := int64(0)
			if period > 0 {
				k = int64(math.Floor(float64(s.ms-origin) / float64(1000*period)))
			}
			byKey[m.key(k, s.unit, groups, s)] = append(byKey[m.key(k, s.unit, groups, s)], s)
		}
		got := h.get(path, nil).([]any)
		if len(got) != len(byKey) {
			t.Errorf("%s: %d groups, want %d", path, len(got), len(byKey))
		}
		for _, x := range got {
			m.statistic(t, path, x.(map[string]any), byKey, origin, period, groups, asked, lower, upper)
		}
	}
}

func (m *model) key(index int64, unit string, groups []string, s *modelSample) string {
	k := fmt.Sprint(index, " ", unit)
	for _, g := range groups {
		k += fmt.Sprint(" ", map[string]any{"resource_id": s.resource, "user_id": s.user, "project_id": s.project, "source": s.source}[g])
	}
	return k
}

// millis reads a time of an answer.
func millis(x any) int64 {
	s, ok := x.(string)
	if !ok {
		return math.MinInt64
	}
	return at(s) / milli
}

func (m *model) statistic(t *testing.T, path string, o map[string]any, byKey map[string][]*modelSample, origin int64, period int, groups []string,
	asked bool, lower, upper *int64) {
	t.Helper()
	k, start := int64(0), millis(o["period_start"])
	if period > 0 {
		k = (start - origin) / int64(1000*period)
		if (start-origin)%int64(1000*period) != 0 || millis(o["period_end"])-start != int64(1000*period) {
			t.Errorf("%s: period %v", path, o)
		}
	}
	key := fmt.Sprint(k, " ", o["unit"])
	for _, g := range groups {
		key += fmt.Sprint(" ", o["groupby"].(map[string]any)[g])
	}
	in := byKey[key]
	if len(in) == 0 {
		t.Errorf("%s: %v has no samples", path, o)
		return
	}
	sum, low, high, first, last := 0.0, math.Inf(1), math.Inf(-1), int64(math.MaxInt64), int64(math.MinInt64)
	users := map[any]bool{}
	for _, s := range in {
		sum, low, high = sum+s.volume, min(low, s.volume), max(high, s.volume)
		first, last = min(first, s.ms), max(last, s.ms)
		users[s.user] = true
	}
	mean, squares := sum/float64(len(in)), 0.0
	for _, s := range in {
		squares += (s.volume - mean) * (s.volume - mean)
	}
	near := func(name string, got any, want float64) {
		if f, ok := got.(float64); !ok || math.Abs(f-want) > 1e-6*(1+math.Abs(want)) {
			t.Errorf("%s: %s is %v, want %v, in %v", path, name, got, want, o)
		}
	}
	if period == 0 && (start != origin || millis(o["period_end"]) != last) {
		t.Errorf("%s: %v", path, o)
	}
	near("count", o["count"], float64(len(in)))
	if asked {
		a := o["aggregate"].(map[string]any)
		near("stddev", a["stddev"], math.Sqrt(squares/float64(len(in))))
		near("cardinality", a["cardinality/user_id"], float64(len(users)))
		if _, ok := o["min"]; ok {
			t.Errorf("%s: %v", path, o)
		}
	} else {
		near("sum", o["sum"], sum)
		near("avg", o["avg"], mean)
		near("min", o["min"], low)
		near("max", o["max"], high)
	}
	if lower != nil {
		first = max(first, *lower)
	}
	if upper != nil {
		last = min(last, *upper)
	}
	near("duration", o["duration"], float64(last-first)/1000)
	if millis(o["duration_start"]) != first || millis(o["duration_end"]) != last {
		t.Errorf("%s: %v", path, o)
	}
}

// TestModelComplex compares complex queries with their evaluation over each sample.
func TestModelComplex(t *testing.T) {
	m, h := newModel(t)
	for range 300 {
		text, ok := m.expression(3)
		body, _ := json.Marshal(map[string]any{"filter": text, "limit": 1000})
		got := h.decoded(h.ask("POST", "/v2/query/samples", string(body), nil), 200)
		m.sameSamples(t, text, got, "id", m.where(ok))
	}
	for range 50 { // in another order, of which some
		text, ok := m.expression(2)
		limit := 1 + m.rng.IntN(30)
		body, _ := json.Marshal(map[string]any{"filter": text, "limit": limit, "orderby": `[{"resource": "desc"}, {"volume": "asc"}]`})
		want := m.where(ok)
		slices.SortFunc(want, func(a, b *modelSample) int {
			return cmp.Or(cmp.Compare(b.resource, a.resource), cmp.Compare(a.volume, b.volume))
		})
		got := h.decoded(h.ask("POST", "/v2/query/samples", string(body), nil), 200).([]any)
		if len(got) != min(limit, len(want)) {
			t.Errorf("%s: %d samples, want %d of %d", text, len(got), limit, len(want))
			continue
		}
		for i, x := range got {
			if o := x.(map[string]any); o["resource_id"] != any(want[i].resource) || o["volume"] != any(want[i].volume) {
				t.Errorf("%s: %v, want %v", text, o, want[i])
			}
		}
	}
}

// expression makes a filter, with its meaning.
func (m *model) expression(depth int) (string, func(s *modelSample) bool) {
	r := m.rng
	if depth == 0 || r.IntN(3) == 0 {
		return m.leaf()
	}
	a, okA := m.expression(depth - 1)
	b, okB := m.expression(depth - 1)
	switch r.IntN(3) {
	case 0:
		return fmt.Sprintf(`{"and": [%s, %s]}`, a, b), func(s *modelSample) bool { return okA(s) && okB(s) }
	case 1:
		return fmt.Sprintf(`{"OR": [%s, %s]}`, a, b), func(s *modelSample) bool { return okA(s) || okB(s) }
	}
	return fmt.Sprintf(`{"not": %s}`, a), func(s *modelSample) bool { return !okA(s) }
}

// leaf makes a comparison, with its meaning.
func (m *model) leaf() (string, func(s *modelSample) bool) {
	r := m.rng
	names := []string{"meter", "unit", "resource_id", "source", "user", "project_id", "volume", "metadata.a", "metadata.b.x", "timestamp"}
	field := pick(r, names...)
	get := func(s *modelSample) any {
		switch field {
		case "meter":
			return s.meter
		case "unit":
			return s.unit
		case "resource_id":
			return s.resource
		case "source":
			return s.source
		case "user":
			return s.user
		case "project_id":
			return s.project
		case "volume":
			return s.volume
		}
		x, _ := stored(s.metadata, strings.TrimPrefix(field, "metadata."))
		return x
	}
	op := pick(r, "=", "!=", "<", "<=", "=<", ">", ">=", "=>")
	if field == "timestamp" {
		ms := m.all[r.IntN(len(m.all))].ms
		text := time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.000")
		return fmt.Sprintf(`{%q: {"timestamp": %q}}`, op, text), func(s *modelSample) bool { return compares(op, float64(s.ms), float64(ms)) }
	}
	want := pick[any](r, "cpu", "%", "r3", "openstack", "u1", "p2", "x", "1", 1.0, 2.5, 0.1, 5.0, true, false)
	b, _ := json.Marshal(want)
	if _, isBool := want.(bool); !isBool && r.IntN(4) == 0 {
		return fmt.Sprintf(`{"in": {%q: [%s, "r1"]}}`, field, b), func(s *modelSample) bool { return equalMongo(get(s), want) || equalMongo(get(s), "r1") }
	}
	return fmt.Sprintf(`{%q: {%q: %s}}`, op, field, b), func(s *modelSample) bool { return compares(op, get(s), want) }
}

// compares compares as MongoDB does: only what is of one kind, one of a list will do, and != is what = is not.
func compares(op string, have, want any) bool {
	if op == "!=" {
		return !compares("=", have, want)
	}
	if l, ok := have.([]any); ok {
		return slices.ContainsFunc(l, func(x any) bool { return compares(op, x, want) })
	}
	c := 2
	switch h := have.(type) {
	case string:
		if w, ok := want.(string); ok {
			c = strings.Compare(h, w)
		}
	case float64:
		if w, ok := want.(float64); ok {
			c = cmp.Compare(h, w)
		}
	case bool:
		if w, ok := want.(bool); ok {
			switch {
			case h == w:
				c = 0
			case w:
				c = -1
			default:
				c = 1
			}
		}
	}
	switch op {
	case "=":
		return c == 0
	case "<":
		return c == -1
	case "<=", "=<":
		return c == -1 || c == 0
	case ">":
		return c == 1
	}
	return c == 1 || c == 0
}
