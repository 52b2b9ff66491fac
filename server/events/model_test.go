package events

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/engine"
)

// The model evaluates the arguments of a request on a list of events, by the specification and nothing of the handler's.

type condition struct{ field, op, value, kind string }

type request struct {
	who        Caller
	conditions []condition
	sort       []string
	marker     string
	limit      string
}

type model struct {
	r      *rand.Rand
	events []engine.Event
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

const epoch = 1577836800 // 2020-01-01

func (m *model) event(i int) engine.Event {
	e := engine.Event{MessageID: fmt.Sprintf("%08x-0000-4000-8000-000000000000", uint32(i)*2654435761), Type: pick(m.r, "a.start", "a.end", "b"),
		Generated: (epoch + m.r.Int64N(5*86400/3600)*3600) * 1e9}
	if m.r.IntN(3) == 0 {
		e.MessageID = fmt.Sprint("m", i)
		e.Generated += m.r.Int64N(1e9) / 1000 * 1000
	}
	for range m.r.IntN(4) {
		t := engine.Trait{Name: pick(m.r, "project_id", "user_id", "size", "x"), Kind: engine.TraitKind(1 + m.r.IntN(4))}
		if strings.HasSuffix(t.Name, "_id") {
			t.Kind = engine.TraitText
		}
		switch t.Kind {
		case engine.TraitText:
			t.Text = pick(m.r, "p1", "p2", "u1", "5", "")
		case engine.TraitInt:
			t.Int = m.r.Int64N(7) - 3
		case engine.TraitFloat:
			t.Float = float64(m.r.IntN(7))/2 - 1
		case engine.TraitTime:
			t.Int = (epoch + m.r.Int64N(3)*43200) * 1e9
		}
		e.Traits = append(e.Traits, t)
	}
	return e
}

func isoOf(nanos int64) string { return time.Unix(0, nanos).UTC().Format("2006-01-02T15:04:05.000000") }

func (m *model) request() request {
	q := request{who: pick(m.r, Caller{Admin: true}, Caller{Admin: true, ProjectID: "p1", UserID: "u1"}, Caller{ProjectID: "p1", UserID: "u1"})}
	for range m.r.IntN(4) {
		c := condition{field: pick(m.r, "event_type", "message_id", "start_timestamp", "end_timestamp", "all_tenants", "size", "x", "project_id", "zzz"),
			op: pick(m.r, "lt", "le", "eq", "ne", "ge", "gt", ""), kind: pick(m.r, "", "string", "integer", "float", "datetime")}
		switch c.field {
		case "event_type":
			c.op, c.value = pick(m.r, "", "eq"), pick(m.r, "a.start", "b", "c")
		case "message_id":
			c.op, c.value = "eq", pick(m.r, m.events...).MessageID
		case "start_timestamp", "end_timestamp":
			c.op = map[string]string{"start_timestamp": "ge", "end_timestamp": "le"}[c.field]
			c.value = isoOf(pick(m.r, m.events...).Generated)
		case "all_tenants":
			c.value = pick(m.r, "True", "1", "false", "x")
		default:
			c.value = map[string]string{"": pick(m.r, "p1", "5", "p9"), "string": pick(m.r, "p2", "5", ""), "integer": fmt.Sprint(m.r.IntN(7) - 3),
				"float": pick(m.r, "0.5", "1", "-1e0"), "datetime": isoOf((epoch + m.r.Int64N(3)*43200) * 1e9)}[c.kind]
		}
		q.conditions = append(q.conditions, c)
	}
	q.sort = pick(m.r, nil, nil, []string{"generated"}, []string{"generated:desc"}, []string{"generated:desc", "message_id:desc"},
		[]string{"message_id"}, []string{"message_id:desc", "generated"}, []string{"generated:asc", "message_id:desc"})
	if m.r.IntN(3) == 0 {
		q.marker = pick(m.r, m.events...).MessageID
	}
	q.limit = pick(m.r, "", "0", "1", "3", "1000")
	return q
}

func (q *request) url(r *rand.Rand) string {
	v := url.Values{}
	brackets := r.IntN(2) == 0
	for i, c := range q.conditions {
		for name, value := range map[string]string{"field": c.field, "op": c.op, "value": c.value, "type": c.kind} {
			if brackets {
				v.Add(fmt.Sprintf("q[%d].%s", i*3, name), value)
			} else {
				v.Add("q."+name, value)
			}
		}
	}
	for _, s := range q.sort {
		v.Add("sort", s)
	}
	if q.marker != "" {
		v.Set("marker", q.marker)
	}
	if q.limit != "" {
		v.Set("limit", q.limit)
	}
	return "/v2/events?" + v.Encode()
}

// trait tells whether some trait of the event compares so.
func (c *condition) trait(e *engine.Event) bool {
	for _, t := range e.Traits {
		if t.Name != c.field || t.Kind.String() != cmp.Or(c.kind, "string") {
			continue
		}
		var order int
		switch t.Kind {
		case engine.TraitText:
			order = strings.Compare(t.Text, c.value)
		case engine.TraitInt:
			n, _ := strconv.ParseInt(c.value, 10, 64)
			order = cmp.Compare(t.Int, n)
		case engine.TraitFloat:
			f, _ := strconv.ParseFloat(c.value, 64)
			order = cmp.Compare(t.Float, f)
		case engine.TraitTime:
			order = strings.Compare(isoOf(t.Int), c.value)
		}
		if map[string]bool{"lt": order < 0, "le": order <= 0, "eq": order == 0, "": order == 0, "ne": order != 0, "ge": order >= 0, "gt": order > 0}[c.op] {
			return true
		}
	}
	return false
}

func traitsOf(e *engine.Event, name string) (out []string) {
	for _, t := range e.Traits {
		if t.Name == name {
			out = append(out, t.Text)
		}
	}
	return out
}

func (q *request) visible(e *engine.Event) bool {
	all := false
	for _, c := range q.conditions {
		if c.field == "all_tenants" {
			all = c.value == "True" || c.value == "1"
		}
	}
	projects := traitsOf(e, "project_id")
	switch {
	case !q.who.Admin:
		return slices.Contains(projects, q.who.ProjectID) && slices.Contains(traitsOf(e, "user_id"), q.who.UserID)
	case all || q.who.ProjectID == "":
		return true
	}
	return len(projects) == 0 || slices.Contains(projects, q.who.ProjectID)
}

func (q *request) selects(e *engine.Event) bool {
	last := map[string]string{}
	for _, c := range q.conditions {
		switch c.field {
		case "event_type", "message_id", "start_timestamp", "end_timestamp", "all_tenants":
			last[c.field] = c.value
		default:
			if !c.trait(e) {
				return false
			}
		}
	}
	is := func(field, value string) bool { return last[field] == "" || last[field] == value }
	at := isoOf(e.Generated)
	return q.visible(e) && is("event_type", e.Type) && is("message_id", e.MessageID) && last["start_timestamp"] <= at &&
		(last["end_timestamp"] == "" || at <= last["end_timestamp"])
}

func (q *request) compare(a, b *engine.Event) int {
	keys := q.sort
	if len(keys) == 0 {
		keys = []string{"generated"}
	}
	for _, k := range append(slices.Clone(keys), "message_id") {
		key, dir, _ := strings.Cut(k, ":")
		c := strings.Compare(a.MessageID, b.MessageID)
		if key == "generated" {
			c = cmp.Compare(a.Generated, b.Generated)
		}
		if dir == "desc" {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// answer gives the message ids that the request should get, or false if its marker is none.
func (m *model) answer(q *request) (out []string, ok bool) {
	var list []engine.Event
	var marker *engine.Event
	for i := range m.events {
		e := &m.events[i]
		if q.selects(e) {
			list = append(list, *e)
		}
		if e.MessageID == q.marker && q.visible(e) {
			marker = e
		}
	}
	if q.marker != "" && marker == nil {
		return nil, false
	}
	slices.SortFunc(list, func(a, b engine.Event) int { return q.compare(&a, &b) })
	limit, _ := strconv.Atoi(q.limit)
	if limit == 0 {
		limit = 100
	}
	out = []string{}
	for i := range list {
		if len(out) < limit && (marker == nil || q.compare(&list[i], marker) > 0) {
			out = append(out, list[i].MessageID)
		}
	}
	return out, true
}

func TestModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	m := &model{r: rand.New(rand.NewPCG(seed, 0))}
	db := openDB(t, vfs.NewMem())
	for i := range 600 {
		m.events = append(m.events, m.event(i))
	}
	for part := range slices.Chunk(m.events, 37) {
		if n, err := db.AppendEvents(context.Background(), part); err != nil || n != len(part) {
			t.Fatal(n, err)
		}
	}
	for range 1200 {
		q := m.request()
		h := New(db, &Options{Caller: byFixed(q.who)})
		u := q.url(m.r)
		code, body, _ := ask(h, "GET", u)
		want, ok := m.answer(&q)
		if !ok {
			if code != 400 {
				t.Fatalf("%s %+v: %d %s", u, q.who, code, body)
			}
			continue
		}
		var list []struct {
			ID string `json:"message_id"`
		}
		got := []string{}
		if err := json.Unmarshal([]byte(body), &list); err != nil || code != 200 {
			t.Fatalf("%s %+v: %d %s", u, q.who, code, body)
		}
		for _, e := range list {
			got = append(got, e.ID)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s %+v:\ngot  %q\nwant %q", u, q.who, got, want)
		}
	}
}
