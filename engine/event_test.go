package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/index"
)

func sampleEvent() *storedEvent {
	return &storedEvent{id: "3f2504e0-4f89-41d3-9a0c-0305e82c3301", generated: 1577836801e9, typ: 3, traits: []storedTrait{
		{4, Trait{Kind: TraitText, Text: "req-3f2504e0-4f89-41d3-9a0c-0305e82c3302"}}, {5, Trait{Kind: TraitText, Text: strings.Repeat("0f", 16)}},
		{6, Trait{Kind: TraitText, Text: "active"}}, {7, Trait{Kind: TraitInt, Int: -5}}, {8, Trait{Kind: TraitFloat, Float: 1.5}},
		{9, Trait{Kind: TraitTime, Int: 1577836800e9}}, {10, Trait{}}}, how: rawPlain, raw: `[1]`}
}

func sampleEventRecords() map[string][]byte {
	return map[string][]byte{
		"event":  appendEvent(nil, sampleEvent()),
		"place":  appendEventRef(nil, eventRef{18262, 7}),
		"day":    appendOrdinalRecord(7),
		"number": appendOrdinalRecord(3),
		"text":   appendTextRecord(nil, "image.upload"),
	}
}

// TestEventsGolden compares records of events with testdata/events_v1.golden; -update rewrites it. A change there is a change of the format.
func TestEventsGolden(t *testing.T) {
	var out strings.Builder
	recs := sampleEventRecords()
	for _, name := range []string{"event", "place", "day", "number", "text"} {
		fmt.Fprintf(&out, "%s\n", name)
		for line := range slices.Chunk(recs[name], 16) {
			fmt.Fprintf(&out, "  % x\n", line)
		}
	}
	out.WriteString("keys\n")
	for _, key := range [][]byte{eventRef{18262, 7}.key(nil), eventIDKey(nil, "a"), eventIDKey(nil, sampleEvent().id),
		eventTime{18262, 1e9, 7}.key(nil), eventDayKey(-1), eventUse{3, 7, TraitInt, 18262}.key(nil), nameKey("size")} {
		fmt.Fprintf(&out, "  %x\n", key)
	}
	out.WriteString("fields of the index\n")
	for _, tr := range sampleEvent().traits {
		v := tr.indexed()
		fmt.Fprintf(&out, "  %x %x %v\n", traitField(18262, tr.Kind, tr.name), v.Str, v.Num)
	}
	const file = "testdata/events_v1.golden"
	if *updateGolden {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("%s differs:\n%s", file, out.String())
	}
}

func TestEventKeysSort(t *testing.T) {
	for _, tm := range []int64{math.MinInt64, -dayNanos - 1, -dayNanos, -1, 0, 1, dayNanos, 1577836801e9, math.MaxInt64} {
		day, offset := dayOf(tm)
		got, ok := parseEventTime(eventTime{day, offset, 9}.key(nil))
		if !ok || got != (eventTime{day, offset, 9}) || offset < 0 || offset >= dayNanos || int64(day)*dayNanos+offset != tm || day < firstDay || day > lastDay {
			t.Errorf("%d: day %d offset %d, %+v", tm, day, offset, got)
		}
	}
	if !slices.IsSortedFunc([]eventDay{firstDay, -1, 0, 1, lastDay}, func(a, b eventDay) int { return bytes.Compare(eventDayKey(a), eventDayKey(b)) }) {
		t.Error("days do not sort")
	}
	ints := []int64{math.MinInt64, math.MinInt64 + 1, -1 << 32, -257, -256, -255, -129, -2, -1, 0, 1, 127, 255, 256, 1 << 53, 1<<53 + 1, math.MaxInt64}
	if !slices.IsSortedFunc(ints, func(a, b int64) int { return strings.Compare(sortableInt(a), sortableInt(b)) }) {
		t.Error("integers do not sort")
	}
	for _, s := range []string{"", "x", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3F2504e0-4f89-41d3-9a0c-0305e82c3301", "req-3f2504e0-4f89-41d3-9a0c-0305e82c3301",
		strings.Repeat("ab", 16), strings.Repeat("g", 32), strings.Repeat("-", 36), strings.Repeat("é", 18)} {
		if form, packed := packText(s); unpackText(form, packed) != s {
			t.Errorf("%q comes back as %q", s, unpackText(form, packed))
		}
	}
}

func TestInvalidEvents(t *testing.T) {
	db := openMem(t)
	good := Event{MessageID: "1", Type: "t", Traits: []Trait{{Name: "a", Kind: TraitText, Text: "x"}}}
	for _, tc := range []struct {
		name   string
		change func(e *Event)
	}{
		{"no message id", func(e *Event) { e.MessageID = "" }},
		{"long message id", func(e *Event) { e.MessageID = strings.Repeat("é", 256) }},
		{"message id not UTF-8", func(e *Event) { e.MessageID = "\xff" }},
		{"no type", func(e *Event) { e.Type = "" }},
		{"long type", func(e *Event) { e.Type = strings.Repeat("x", 256) }},
		{"many traits", func(e *Event) { e.Traits = slices.Repeat(e.Traits, 1025) }},
		{"no name", func(e *Event) { e.Traits[0].Name = "" }},
		{"long text", func(e *Event) { e.Traits[0].Text = strings.Repeat("x", 64<<10+1) }},
		{"text not UTF-8", func(e *Event) { e.Traits[0].Text = "\xff" }},
		{"kind", func(e *Event) { e.Traits[0].Kind = 5 }},
		{"NaN", func(e *Event) { e.Traits[0] = Trait{Name: "a", Kind: TraitFloat, Float: math.NaN()} }},
		{"infinity", func(e *Event) { e.Traits[0] = Trait{Name: "a", Kind: TraitFloat, Float: math.Inf(-1)} }},
		{"no JSON", func(e *Event) { e.Raw = []byte("{") }},
		{"long raw", func(e *Event) { e.Raw = []byte(`"` + strings.Repeat("x", 1<<20) + `"`) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bad := good
			bad.Traits = slices.Clone(good.Traits)
			tc.change(&bad)
			n, err := db.AppendEvents(context.Background(), []Event{good, bad})
			if !errors.Is(err, ErrInvalid) || n != 0 || db.CountEvents() != 0 || !errors.Is(bad.Check(), ErrInvalid) {
				t.Errorf("%d %v", n, err)
			}
		})
	}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}

// largeEvent is an event whose raw is long, and like those of its type.
func largeEvent(r *rand.Rand, i int, at int64) Event {
	raw, _ := json.Marshal(map[string]any{"_context_request_id": NewUUID(), "payload": map[string]any{"state": "active", "memory_mb": 512 * (1 + i%4),
		"display_name": fmt.Sprint("vm-", r.IntN(1000)), "image_meta": map[string]any{"base_image_ref": NewUUID(), "container_format": "bare"},
		"fixed_ips": []any{map[string]any{"address": fmt.Sprint("10.0.0.", r.IntN(255)), "floating_ips": []any{}}}, "instance_id": NewUUID()},
		"priority": "INFO", "publisher_id": "compute.host7"})
	return Event{MessageID: NewUUID().String(), Type: "compute.instance.update", Generated: at, Raw: raw, Traits: []Trait{
		{Name: "state", Kind: TraitText, Text: "active"}, {Name: "instance_id", Kind: TraitText, Text: NewUUID().String()}, {Name: "memory_mb", Kind: TraitInt, Int: 512}}}
}

// TestRawIsCompressed wants raw back as it was, for a fraction of its bytes, through a restart too.
func TestRawIsCompressed(t *testing.T) {
	fs := vfs.NewMem()
	db, err := Open("db", &Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var events []Event
	raw := 0
	for i := range 200 {
		events = append(events, largeEvent(r, i, int64(i)*1e9))
		raw += len(events[i].Raw)
	}
	longest := events[7]
	longest.MessageID, longest.Raw = "longest", []byte(`"`+strings.Repeat("abcdefg ", maxEventRawBytes/8-1)+`123456"`)
	events = append(events, longest)
	if n, err := db.AppendEvents(context.Background(), events); n != len(events) || err != nil {
		t.Fatal(n, err)
	}
	for range 2 {
		stored := 0
		for _, e := range events {
			got, err := db.Event(e.MessageID)
			if err != nil || !reflect.DeepEqual(*got, e) {
				t.Fatalf("%+v %v, want %+v", got, err, e)
			}
			ref, _, _ := db.events.find(db.p, e.MessageID)
			s, _ := db.events.read(db.p, ref)
			stored += len(s.raw)
		}
		if stored*2 > raw {
			t.Errorf("raw of %d bytes takes %d", raw, stored)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if db, err = Open("db", &Options{FS: fs}); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
}

// TestExpiredEventsLeaveNothing wants no key of expired days to stay, but those of names.
func TestExpiredEventsLeaveNothing(t *testing.T) {
	now := time.Unix(1.6e9, 0)
	db, err := Open("db", &Options{FS: vfs.NewMem(), KeepEvents: 48 * time.Hour, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := rand.New(rand.NewPCG(1, 2))
	var events []Event
	for i := range 500 {
		events = append(events, largeEvent(r, i, now.UnixNano()-int64(i%40)*3600e9))
	}
	if _, err := db.AppendEvents(context.Background(), events); err != nil {
		t.Fatal(err)
	}
	if n, err := db.AppendEvents(context.Background(), []Event{{MessageID: "old", Type: "t", Generated: now.UnixNano() - 96*3600e9}}); n != 0 || err != nil {
		t.Errorf("an event that is not kept: %d %v", n, err)
	}
	now = now.Add(240 * time.Hour)
	if err := db.Expire(); err != nil {
		t.Fatal(err)
	}
	if types, err := db.EventTypes(); err != nil || len(types) != 0 || db.CountEvents() != 0 {
		t.Errorf("%q %v, %d events", types, err, db.CountEvents())
	}
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyEvent}, UpperBound: []byte{keyEventIndex + 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		switch k := it.Key(); {
		case k[0] == keyEventName, k[0] == keyEventNameOf, k[0] == keyEventRaw, k[0] == keyEventIndex && len(k) == 2:
		default:
			t.Errorf("key %x is left", k)
		}
	}
}

// TestManyEventsAtOneTime wants order and markers to hold where times say nothing, without sorting in memory.
func TestManyEventsAtOneTime(t *testing.T) {
	db := openMem(t)
	var events []Event
	for i := range sortFewEvents + 500 {
		id := NewUUID().String()
		if i%3 == 0 {
			id = fmt.Sprint("m", i)
		}
		events = append(events, Event{MessageID: id, Type: "t", Generated: 1e18})
	}
	if n, err := db.AppendEvents(context.Background(), events); n != len(events) || err != nil {
		t.Fatal(n, err)
	}
	slices.SortFunc(events, func(a, b Event) int { return strings.Compare(a.MessageID, b.MessageID) })
	q := EventQuery{Limit: 1000}
	var got []string
	for {
		n := len(got)
		for e, err := range db.Events(context.Background(), q) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.MessageID)
			q.After = e.MessageID
		}
		if len(got) == n {
			break
		}
	}
	if len(got) != len(events) {
		t.Fatalf("%d events", len(got))
	}
	for i := range events {
		if events[i].MessageID != got[i] {
			t.Fatalf("at %d: %s, want %s", i, got[i], events[i].MessageID)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	for _, err := range db.Events(ctx, EventQuery{}) {
		if n++; n == 10 {
			cancel()
		}
		if err != nil && (n != 11 || !errors.Is(err, context.Canceled)) {
			t.Errorf("after %d: %v", n, err)
		}
	}
	if n != 11 {
		t.Errorf("%d events of a query that was given up", n)
	}
}

// TestEventDamage changes bytes of every key of events: reads answer with errors of a known kind or without the damage, and Check finds
// what breaks the format.
func TestEventDamage(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	fs := vfs.NewMem()
	db, err := Open("db", &Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if _, err := db.AppendEvents(context.Background(), []Event{largeEvent(r, i, int64(i)*1e9)}); err != nil {
			t.Fatal(err)
		}
	}
	type pair struct{ k, v []byte }
	var all []pair
	if err := eachKey(db.p, []byte{keyEvent}, []byte{keyEventIndex}, false, func(k, v []byte) error {
		all = append(all, pair{bytes.Clone(k), bytes.Clone(v)})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if len(p.v) == 0 {
			continue
		}
		bad := bytes.Clone(p.v)
		bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
		if err := db.p.Set(p.k, bad, pebble.NoSync); err != nil {
			t.Fatal(err)
		}
		if _, _, err := db.events.check(p.k, bad); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
			t.Errorf("key %x: check says %v", p.k, err)
		}
		for _, err := range db.Events(context.Background(), EventQuery{Traits: []TraitFilter{{Op: index.Ge, Trait: Trait{Name: "memory_mb", Kind: TraitInt}}}}) {
			if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
				t.Errorf("key %x: %v", p.k, err)
			}
		}
		if err := db.p.Set(p.k, p.v, pebble.NoSync); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := Dump(&out, "db", &Options{FS: fs}, DumpOptions{}); err != nil || strings.Count(out.String(), "event ordinal=") != 20 {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// FuzzDecodeEvent wants what is decoded to survive a round trip, behind the checksum.
func FuzzDecodeEvent(f *testing.F) {
	for _, rec := range sampleEventRecords() {
		f.Add(int32(18262), rec[1:len(rec)-4])
	}
	f.Fuzz(func(t *testing.T, day int32, body []byte) {
		rec := endRecord(append([]byte{recordVersion}, body...), 0)
		_, _ = decodeEventRef(rec)
		_, _ = decodeTextRecord(rec)
		e, err := decodeEvent(eventDay(day), rec)
		if err != nil {
			return
		}
		d, _ := dayOf(e.generated)
		again, err := decodeEvent(d, appendEvent(nil, e))
		if err != nil || d != eventDay(day) || fmt.Sprintf("%+v", *again) != fmt.Sprintf("%+v", *e) {
			t.Fatalf("%+v is %+v after a round trip, %v", e, again, err)
		}
		if e.how != rawZstd {
			return
		}
		dec, err := newRawOpener("prototype")
		if err != nil {
			t.Fatal(err)
		}
		defer dec.Close()
		if raw, err := dec.DecodeAll([]byte(e.raw), nil); err == nil && len(raw) > maxEventRawBytes {
			t.Fatalf("raw of %d bytes", len(raw))
		}
	})
}

// FuzzEventKeys wants keys that are read to be those that are written.
func FuzzEventKeys(f *testing.F) {
	f.Add(eventRef{18262, 7}.key(nil))
	f.Add(eventTime{18262, 7, 7}.key(nil))
	f.Add(eventUse{1, 2, TraitInt, 18262}.key(nil))
	f.Add(eventIDKey(nil, "x"))
	f.Add(eventIDKey(nil, sampleEvent().id))
	f.Fuzz(func(t *testing.T, key []byte) {
		var again []byte
		if ref, ok := parseEventKey(key); ok {
			again = ref.key(nil)
		} else if tm, ok := parseEventTime(key); ok {
			again = tm.key(nil)
		} else if u, ok := parseEventUse(key); ok {
			again = u.key(nil)
		} else if id, ok := parseEventID(key); ok && key[1] != textPlain {
			again = eventIDKey(nil, id)
		} else {
			return
		}
		if !bytes.Equal(again, key) {
			t.Fatalf("%x is read as %x", key, again)
		}
	})
}
