package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/index"
)

// eventModel keeps events in a list and selects by the book.
type eventModel struct {
	t    *testing.T
	r    *rand.Rand
	fs   *vfs.MemFS
	db   *DB
	keep time.Duration
	now  time.Time
	all  map[string]Event
}

func (m *eventModel) open() {
	var err error
	o := &Options{FS: m.fs, MemoryBytes: 8 << 20, KeepEvents: m.keep, Now: func() time.Time { return m.now }}
	if m.db, err = Open("db", o); err != nil {
		m.t.Fatal(err)
	}
	if m.r.IntN(3) > 0 { // the ways for many events
		m.db.events.sortFew, m.db.events.sortAlways = m.r.Uint64N(8), m.r.Uint64N(3)
	}
}

func (m *eventModel) time() int64 {
	t := m.now.Add(-time.Duration(m.r.Int64N(int64(9 * 24 * time.Hour)))).UnixNano()
	switch m.r.IntN(4) {
	case 0:
		return t
	case 1:
		return pick(m.r, t-t%dayNanos, t-t%dayNanos-1, -t%dayNanos)
	}
	return t - t%(6*int64(time.Hour)) // many at one time
}

func (m *eventModel) text() string {
	long := strings.Repeat("x", maxIndexedText-1)
	return pick(m.r, "", "a", "b", "é", "a\x00b", "00000000-0000-4000-8000-00000000000"+fmt.Sprint(m.r.IntN(9)), strings.Repeat("0f", 16),
		strings.Repeat("0F", 16), "req-00000000-0000-4000-8000-000000000000", long, long+"a", long+"ab", long+"b", fmt.Sprint(m.r.IntN(5)))
}

func (m *eventModel) trait() Trait {
	t := Trait{Name: pick(m.r, "a", "b", "project_id", "t\x01"), Kind: TraitKind(m.r.IntN(5))}
	switch t.Kind {
	case TraitText:
		t.Text = m.text()
	case TraitInt:
		t.Int = pick(m.r, int64(m.r.IntN(9))-4, math.MaxInt64, math.MinInt64, 1<<53, 1<<53+1, -256, 255, 256)
	case TraitFloat:
		t.Float = pick(m.r, float64(m.r.IntN(5))-2, 0.5, -math.MaxFloat64, 1e-300)
	case TraitTime:
		t.Int = pick(m.r, m.time(), math.MaxInt64, math.MinInt64)
	}
	return t
}

func (m *eventModel) event() Event {
	n := m.r.IntN(60)
	e := Event{MessageID: pick(m.r, fmt.Sprint("m", n), fmt.Sprintf("00000000-0000-4000-8000-0000000000%02x", n), fmt.Sprintf("%032x", n), fmt.Sprintf("%032X", n)),
		Type: pick(m.r, "compute.start", "compute.end", "image"), Generated: m.time()}
	for range m.r.IntN(4) {
		e.Traits = append(e.Traits, m.trait())
	}
	switch m.r.IntN(4) {
	case 0:
		e.Raw = []byte(fmt.Sprintf(`{"n": %d, "text": "%s"}`, n, strings.Repeat("abc ", m.r.IntN(200))))
	case 1:
		e.Raw = []byte(pick(m.r, "{ }", "null", "[1, 2]", `"x"`))
	}
	return e
}

// normal is an event as it comes back.
func normal(e Event) Event {
	var b bytes.Buffer
	if len(e.Raw) > 0 && json.Compact(&b, e.Raw) == nil && b.String() != "{}" {
		e.Raw = b.Bytes()
	} else {
		e.Raw = nil
	}
	if e.Traits == nil {
		e.Traits = []Trait{}
	}
	return e
}

func (m *eventModel) append() {
	var batch []Event
	want := 0
	oldest := int64(math.MinInt64)
	if m.keep > 0 {
		oldest = m.now.Add(-m.keep).UnixNano()
		oldest -= (oldest%dayNanos + dayNanos) % dayNanos
	}
	for range m.r.IntN(40) {
		e := m.event()
		batch = append(batch, e)
		if _, known := m.all[e.MessageID]; !known && e.Generated >= oldest {
			m.all[e.MessageID] = normal(e)
			want++
		}
	}
	got, err := m.db.AppendEvents(context.Background(), batch)
	if err != nil || got != want {
		m.t.Fatalf("%d events stored, want %d: %v", got, want, err)
	}
}

func (m *eventModel) expire() {
	m.now = m.now.Add(time.Duration(m.r.Int64N(int64(3 * 24 * time.Hour))))
	if err := m.db.Expire(); err != nil {
		m.t.Fatal(err)
	}
	if m.keep == 0 {
		return
	}
	for id, e := range m.all {
		day, _ := dayOf(e.Generated)
		if oldest, _ := dayOf(m.now.Add(-m.keep).UnixNano()); day < oldest {
			delete(m.all, id)
		}
	}
}

func (m *eventModel) query() EventQuery {
	var q EventQuery
	if m.r.IntN(3) == 0 {
		q.Type = pick(m.r, "compute.start", "image", "unknown")
	}
	if m.r.IntN(10) == 0 {
		q.MessageID = m.event().MessageID
	}
	if m.r.IntN(3) == 0 {
		t := m.time()
		q.From = &t
	}
	if m.r.IntN(3) == 0 {
		t := m.time()
		q.To = &t
	}
	for range m.r.IntN(3) {
		f := TraitFilter{Op: pick(m.r, index.Eq, index.Ne, index.Lt, index.Le, index.Gt, index.Ge, 0), Trait: m.trait(), OrMissing: m.r.IntN(4) == 0}
		if m.r.IntN(10) == 0 {
			f.Name = "unknown"
		}
		q.Traits = append(q.Traits, f)
	}
	q.Order = EventOrder{ByID: m.r.IntN(3) == 0, Desc: m.r.IntN(2) == 0, IDDesc: m.r.IntN(2) == 0}
	if m.r.IntN(2) == 0 {
		q.After = m.event().MessageID
	}
	q.Limit = pick(m.r, 0, 1, 2, 5, 50)
	return q
}

func (f *TraitFilter) modelSelects(e *Event) bool {
	missing := true
	for _, t := range e.Traits {
		if t.Name != f.Name {
			continue
		}
		missing = false
		c := 0
		switch {
		case f.Op == 0:
			return true
		case t.Kind != f.Kind || t.Kind == TraitNone:
			continue
		case t.Kind == TraitText:
			c = strings.Compare(t.Text, f.Text)
		case t.Kind == TraitFloat:
			c = cmp.Compare(t.Float, f.Float)
		default:
			c = cmp.Compare(t.Int, f.Int)
		}
		if map[index.Op]bool{index.Eq: c == 0, index.Ne: c != 0, index.Lt: c < 0, index.Le: c <= 0, index.Gt: c > 0, index.Ge: c >= 0}[f.Op] {
			return true
		}
	}
	return missing && f.OrMissing
}

func (m *eventModel) compare(o EventOrder, a, b *Event) int {
	t, id := cmp.Compare(a.Generated, b.Generated), strings.Compare(a.MessageID, b.MessageID)
	if o.ByID && o.Desc {
		return -id
	} else if o.ByID {
		return id
	}
	if o.Desc {
		t = -t
	}
	if o.IDDesc {
		id = -id
	}
	return cmp.Or(t, id)
}

func (m *eventModel) want(q EventQuery) (out []Event, err error) {
	after, known := m.all[q.After]
	if q.After != "" && !known {
		return nil, ErrNotFound
	}
	for _, e := range m.all {
		ok := (q.Type == "" || e.Type == q.Type) && (q.MessageID == "" || e.MessageID == q.MessageID) &&
			(q.From == nil || e.Generated >= *q.From) && (q.To == nil || e.Generated <= *q.To) && (q.After == "" || m.compare(q.Order, &e, &after) > 0)
		for i := range q.Traits {
			ok = ok && q.Traits[i].modelSelects(&e)
		}
		if ok {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Event) int { return m.compare(q.Order, &a, &b) })
	if q.Limit > 0 {
		out = out[:min(len(out), q.Limit)]
	}
	return out, nil
}

func (m *eventModel) ask() {
	q := m.query()
	want, wantErr := m.want(q)
	var got []Event
	for e, err := range m.db.Events(context.Background(), q) {
		if err != nil {
			if !errors.Is(err, wantErr) {
				m.t.Fatalf("%+v: %v", q, err)
			}
			return
		}
		got = append(got, *e)
	}
	if wantErr != nil || !reflect.DeepEqual(got, want) {
		m.t.Fatalf("%+v:\ngot  %+v\nwant %+v %v", q, got, want, wantErr)
	}
}

func (m *eventModel) lists() {
	types, kinds := map[string]bool{}, map[string]map[Trait]bool{}
	for _, e := range m.all {
		types[e.Type] = true
		if kinds[e.Type] == nil {
			kinds[e.Type] = map[Trait]bool{}
		}
		for _, t := range e.Traits {
			kinds[e.Type][Trait{Name: t.Name, Kind: t.Kind}] = true
		}
	}
	got, err := m.db.EventTypes()
	if err != nil || len(got) != len(types) || !slices.IsSorted(got) {
		m.t.Fatalf("types %q, %v, want %v", got, err, types)
	}
	for _, typ := range append(got, "unknown") {
		traits, err := m.db.EventTraits(typ)
		if err != nil || len(traits) != len(kinds[typ]) {
			m.t.Fatalf("traits %v, %v, want %v", traits, err, kinds[typ])
		}
		for _, tr := range traits {
			if !kinds[typ][tr] {
				m.t.Fatalf("trait %v, want %v", tr, kinds[typ])
			}
		}
	}
	m.values(pick(m.r, "compute.start", "unknown"), pick(m.r, "a", "unknown"))
	e := m.event()
	one, err := m.db.Event(e.MessageID)
	if want, known := m.all[e.MessageID]; known != (err == nil) || known && !reflect.DeepEqual(*one, want) || !known && !errors.Is(err, ErrNotFound) {
		m.t.Fatalf("%+v, %v, want %+v", one, err, want)
	}
	if n := m.db.CountEvents(); n != len(m.all) {
		m.t.Fatalf("%d events, want %d", n, len(m.all))
	}
}

func (m *eventModel) values(typ, name string) {
	var got, want []Trait
	for tr, err := range m.db.EventTraitValues(context.Background(), typ, name) {
		if err != nil {
			m.t.Fatal(err)
		}
		got = append(got, tr)
	}
	events, _ := m.want(EventQuery{Type: typ})
	for _, e := range events {
		for _, tr := range e.Traits {
			if tr.Name == name {
				want = append(want, tr)
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		m.t.Fatalf("values %v, want %v", got, want)
	}
}

// TestEventsModel compares random histories with a list of events.
func TestEventsModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for end := time.Now().Add(patience); time.Now().Before(end); {
		m := &eventModel{t: t, r: r, fs: vfs.NewCrashableMem(), now: time.Unix(1.4e9, 0), all: map[string]Event{},
			keep: pick(r, 0, 0, time.Duration(1+r.Int64N(int64(5*24*time.Hour))))}
		m.open()
		for range 40 {
			switch r.IntN(12) {
			case 0, 1, 2:
				m.append()
			case 3:
				m.expire()
			case 4:
				m.fs = m.fs.CrashClone(vfs.CrashCloneCfg{}) // what is acknowledged is durable
				m.db.Close()
				m.open()
				if err := m.db.Expire(); err != nil { // expiry is not synced: it can be done again
					t.Fatal(err)
				}
			case 5:
				m.lists()
			default:
				m.ask()
			}
		}
		if err := m.db.Close(); err != nil {
			t.Fatal(err)
		}
		m.check()
	}
}

// check wants nothing to be found wrong, and no keys left of days that were expired.
func (m *eventModel) check() {
	sum, err := Check("db", &Options{FS: m.fs}, func(f Finding) { m.t.Errorf("key %x: %v", f.Key, f.Err) })
	if err != nil || sum.Findings > 0 {
		m.t.Fatalf("%+v %v", sum, err)
	}
}
