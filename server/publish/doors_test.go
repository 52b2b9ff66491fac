package publish

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/ingest"
	"github.com/telemetrydb/tsdb/server/limit"
	"github.com/telemetrydb/tsdb/server/samples"
)

// house is doors with a database behind them.
type house struct {
	*Doors
	t       testing.TB
	db      *engine.DB
	store   *samples.Store
	refused *ingest.Refused
	log     bytes.Buffer
	events  []engine.Event
}

func newHouse(t testing.TB, change func(o *Options)) *house {
	t.Helper()
	db, err := engine.Open("db", &engine.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{t: t, db: db, store: samples.New(db, nil), refused: ingest.NewRefused()}
	o := &Options{Refused: h.refused, Logger: slog.New(slog.NewTextHandler(&h.log, nil)), Now: func() time.Time { return time.Unix(0, arrival) },
		Events: func(_ context.Context, events []engine.Event) (int, error) {
			h.events = append(h.events, events...)
			return len(events), nil
		}}
	if change != nil {
		change(o)
	}
	h.Doors = New(h.store, o)
	return h
}

// counted gives what was refused, as "protocol reason count" sorted.
func (h *house) counted() (out []string) {
	ch := make(chan prometheus.Metric, 100)
	h.refused.Collect(ch)
	close(ch)
	for m := range ch {
		var d dto.Metric
		if err := m.Write(&d); err != nil {
			h.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %s %v", d.Label[0].GetValue(), d.Label[1].GetValue(), d.Counter.GetValue()))
	}
	slices.Sort(out)
	return out
}

// kept is a sample as the store gives it back.
type kept struct {
	t       int64
	v       float64
	arrival int64
	context string // user project source unit type metadata
}

// read gives all samples of a meter of a resource.
func (h *house) read(resource, meter string) (out []kept) {
	h.t.Helper()
	m, err := h.db.ResourceMetric(h.store.ResourceUUID(resource), meter)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		h.t.Fatal(err)
	}
	view, err := h.db.View(m.Ref)
	if err != nil {
		h.t.Fatal(err)
	}
	defer view.Close()
	r := view.Samples(context.Background(), m.Ref, math.MinInt64, math.MaxInt64, engine.SampleQuery{})
	or := func(s *string) string {
		if s == nil {
			return "-"
		}
		return *s
	}
	for r.Next() {
		c := r.Columns()
		for i := range c.Times {
			x, err := h.db.Context(c.Contexts[i])
			if err != nil {
				h.t.Fatal(err)
			}
			out = append(out, kept{c.Times[i], c.Values[i], c.Arrivals[i], fmt.Sprint(or(x.UserID), " ", or(x.ProjectID), " ", x.Source, " ", x.Unit, " ", x.Type, " ", string(x.Metadata))})
		}
	}
	if r.Err() != nil {
		h.t.Fatal(r.Err())
	}
	slices.SortFunc(out, func(a, b kept) int { return cmp.Or(cmp.Compare(a.t, b.t), cmp.Compare(a.v, b.v)) })
	return out
}

// post sends a body to a handler; headers as name, value.
func post(handler http.Handler, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

const (
	cpuObject  = `{"name":"cpu","type":"cumulative","unit":"ns","volume":1.5,"user_id":"u","project_id":"p","resource_id":"vm","timestamp":"2026-01-02T12:00:00+00:00","resource_metadata":{"vcpus":2},"source":"openstack","id":"a"}`
	cpuMessage = `{"counter_name":"cpu","counter_type":"cumulative","counter_unit":"ns","counter_volume":2.5,"user_id":null,"project_id":"p","resource_id":"vm","timestamp":"2026-01-02T12:00:01","resource_metadata":{},"source":"x","message_id":"b"}`
	anEvent    = `{"message_id":"e1","event_type":"compute.instance.create.end","generated":"2026-01-02T12:00:00.5","traits":[["host",1,"h"],["n",2,5],["f",3,1.5],["at",4,"2020-01-01T00:00:00"],["none",1,null]],"raw":{"a":[1]}}`
	fileEvent  = `{"message_id":"e2","event_type":"t","generated":"2026-01-02 12:00:00","traits":[{"name":"host","dtype":1,"value":"h"}],"raw":{}}`
)

func TestPublish(t *testing.T) {
	h := newHouse(t, nil)
	w := post(h.Publish(), "/any/path?leftover=1", `[`+cpuObject+`,`+anEvent+`,{"name":"cpu","type":"gauge","volume":null,"resource_id":"vm"},7,`+cpuMessage+`,`+fileEvent+`]`)
	if w.Code != http.StatusAccepted || w.Body.String() != `{"refused":{"shape":1,"volume":1},"stored":4}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	const second = 1e9
	want := []kept{{noon, 1.5, arrival, `u p openstack ns cumulative {"vcpus":2}`}, {noon + second, 2.5, arrival, `- p x ns cumulative {}`}}
	if got := h.read("vm", "cpu"); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := h.counted(); !slices.Equal(got, []string{"http shape 1", "http volume 1"}) {
		t.Error(got)
	}
	if len(h.events) != 2 || len(h.events[0].Traits) != 5 || h.events[0].Traits[1].Int != 5 || h.events[0].Traits[4].Kind != engine.TraitNone ||
		string(h.events[0].Raw) != `{"a":[1]}` || h.events[1].Traits[0].Text != "h" || h.events[1].Generated != noon {
		t.Errorf("%+v", h.events)
	}
	if log := h.log.String(); !strings.Contains(log, "null, not a number, of meter") || !strings.Contains(log, "from=192.0.2.1:1234") {
		t.Error(log)
	}
	if w := post(h.Publish(), "/", cpuObject); w.Code != http.StatusAccepted || len(h.read("vm", "cpu")) != 3 {
		t.Errorf("a redelivered sample: %d %s", w.Code, w.Body)
	}
	var z bytes.Buffer
	zw := gzip.NewWriter(&z)
	zw.Write([]byte(cpuMessage))
	zw.Close()
	if w := post(h.Publish(), "/", z.String(), "Content-Encoding", "gzip"); w.Code != http.StatusAccepted {
		t.Errorf("compressed: %d %s", w.Code, w.Body)
	}
	if w := post(h.Publish(), "/", "[]"); w.Code != http.StatusAccepted {
		t.Errorf("nothing: %d %s", w.Code, w.Body)
	}
}

func TestPublishRefuses(t *testing.T) {
	full := limit.NewBudget(1)
	for _, tc := range []struct {
		name, body string
		headers    []string
		change     func(o *Options)
		status     int
		text       string
	}{
		{name: "no JSON", body: "[{", status: 400, text: "Request is not in valid JSON format"},
		{name: "nothing", body: "", status: 400, text: "Request is not in valid JSON format"},
		{name: "nested without end", body: strings.Repeat("[", 1000), status: 400, text: "not in valid JSON"},
		{name: "nothing that is sound", body: `[{"name":"m"},5]`, status: 400, text: "a number, not a sample"},
		{name: "too large", body: strings.Repeat(" ", 1<<20), change: func(o *Options) { o.MaxBodyBytes = 1 << 10 }, status: 413, text: "larger"},
		{name: "no room", body: cpuObject, change: func(o *Options) { o.Budget = full }, status: 503, text: "busy"},
		{name: "an encoding", body: cpuObject, headers: []string{"Content-Encoding", "br"}, status: 415, text: "br"},
		{name: "not gzip", body: cpuObject, headers: []string{"Content-Encoding", "gzip"}, status: 400, text: "decompressed"},
		{name: "values without end", body: "[" + strings.Repeat("0,", 1<<21) + "0]", status: 413, text: "values"},
		{name: "not signed", body: cpuMessage, change: func(o *Options) { o.Secret = "s" }, status: 400, text: "not signed"},
		{name: "an event without an id", body: `{"event_type":"t","traits":[]}`, status: 400, text: "message_id"},
		{name: "a trait of a wrong type", body: `{"message_id":"m","event_type":"t","traits":[["a",2,"x"]]}`, status: 400, text: "not of its type"},
		{name: "events that nobody wants", body: anEvent, change: func(o *Options) { o.Events = nil }, status: 400, text: "not taken"},
		{name: "a full disk", body: anEvent, change: func(o *Options) {
			o.Events = func(context.Context, []engine.Event) (int, error) { return 0, engine.ErrFull }
		}, status: 507, text: "full"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHouse(t, tc.change)
			w := post(h.Publish(), "/v2/publish", tc.body, tc.headers...)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.text) || !strings.HasPrefix(w.Body.String(), `{"error_message":{"debuginfo":null,"faultcode":`) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, tc.status, tc.text)
			}
			if again := w.Header().Get("Retry-After"); (tc.status == 503 || tc.status == 507) != (again != "") {
				t.Errorf("Retry-After %q", again)
			}
			if h.db.Stats().Samples != 0 {
				t.Error("something was stored")
			}
		})
	}
	h := newHouse(t, func(o *Options) { o.Secret = "s" })
	if w := post(h.Publish(), "/", cpuObject); w.Code != http.StatusAccepted {
		t.Errorf("object form has no signature: %d %s", w.Code, w.Body)
	}
}

// serve runs fn until the test's body has ended, and then waits for it and stores what came.
func (h *house) serve(fn func(ctx context.Context, m *Messages) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	m := h.Messages()
	ended := make(chan error, 1)
	go func() { ended <- fn(ctx, m) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
		m.Close()
	}
}

var badMessages = []struct{ message, reason string }{
	{string(sampleMessage("x", 1)[:40]), reasonFormat},
	{"\x81\xa1a\xdb\xff\xff\xff\xffabc", reasonFormat},
	{strings.Repeat("\x91", 1000), reasonNesting},
	{"\x93\x01\x02\x03", reasonShape},
	{"\x80", reasonShape},
	{string(sampleMessage("x", math.NaN())), reasonVolume},
	{string(sampleMessage("x", 1)) + "x", reasonFormat},
	{string(sampleMessage("x/y", 1)), reasonName},
	{"", reasonFormat},
}

// refusals of badMessages, counted.
func badCounts(protocol string) (out []string) {
	counts := map[string]int{}
	for _, b := range badMessages {
		counts[b.reason]++
	}
	for reason, n := range counts {
		out = append(out, fmt.Sprintf("%s %s %d", protocol, reason, n))
	}
	slices.Sort(out)
	return out
}

func TestUDP(t *testing.T) {
	h := newHouse(t, nil)
	conn, err := ListenUDP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := h.serve(func(ctx context.Context, m *Messages) error { return m.ServeUDP(ctx, conn) })
	from, err := net.Dial("udp", conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	const n = 2000
	for i := range n {
		if i < len(badMessages) {
			if _, err := from.Write([]byte(badMessages[i].message)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := from.Write(sampleMessage("cpu_util", float64(i))); err != nil {
			t.Fatal(err)
		}
		for i%500 == 499 && h.db.Stats().Samples < uint64(i-499) { // the system may have room for little
			time.Sleep(time.Millisecond)
		}
	}
	stop() // takes what the system has
	got := h.read("vm", "cpu_util")
	if len(got) != n || got[n-1].v != n-1 || got[0] != (kept{noon, 0, arrival, `- - openstack % gauge {"vcpus":2}`}) {
		t.Errorf("%d samples of %d, the first %+v", len(got), n, got[:1])
	}
	if got, want := h.counted(), badCounts("udp"); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if !strings.Contains(h.log.String(), "from=127.0.0.1:") {
		t.Error(h.log.String())
	}
}

func frame(message string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(message))), message...)
}

// The end of the context closes the listener and ends what was derived from the context, in no order.
func TestTCPEndsWithoutAnError(t *testing.T) {
	h := newHouse(t, nil)
	for range 300 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		h.serve(func(ctx context.Context, m *Messages) error { return m.ServeTCP(ctx, ln) })()
	}
}

func TestTCP(t *testing.T) {
	h := newHouse(t, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := h.serve(func(ctx context.Context, m *Messages) error { return m.ServeTCP(ctx, ln) })
	dial := func() net.Conn {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const connections, n = 8, 300
	for c := range connections {
		conn := dial()
		var all []byte
		for i := range n {
			if c == 0 && i < len(badMessages) {
				all = append(all, frame(badMessages[i].message)...)
			}
			all = append(all, frame(string(sampleMessage("cpu_util", float64(c*n+i))))...)
		}
		all = append(all, frame(strings.Repeat("x", 5<<20))...) // skipped
		all = append(all, frame(string(sampleMessage("after", 1)))...)
		for len(all) > 0 { // in pieces that end anywhere
			k := min(len(all), 100_001)
			if _, err := conn.Write(all[:k]); err != nil {
				t.Fatal(err)
			}
			all = all[k:]
		}
		conn.Close()
	}
	torn := dial()
	torn.Write(append(frame(string(sampleMessage("torn", 1))), frame(string(sampleMessage("torn", 2)))[:30]...))
	torn.Close()
	absurd := dial()
	absurd.Write(append(frame(string(sampleMessage("absurd", 1))), "\xff\xff\xff\xff\xff\xff\xff\xff and so on"...))
	if _, err := absurd.Read(make([]byte, 1)); err == nil {
		t.Error("the connection goes on after a frame of absurd length")
	}
	absurd.Close()
	open := dial()
	defer open.Close()
	open.Write(frame(string(sampleMessage("open", 1))))
	for h.db.Stats().Samples < connections*(n+1)+3 {
		time.Sleep(time.Millisecond)
	}
	stop() // though a connection is open
	if got := h.read("vm", "cpu_util"); len(got) != connections*n || got[n].v != n {
		t.Errorf("%d samples, want %d", len(got), connections*n)
	}
	for meter, want := range map[string]int{"torn": 1, "absurd": 1, "open": 1, "after": connections} {
		if got := h.read("vm", meter); len(got) != want {
			t.Errorf("%s: %d samples, want %d", meter, len(got), want)
		}
	}
	want := append(badCounts("tcp"), "tcp cut short 1", fmt.Sprintf("tcp too large %d", connections+1))
	slices.Sort(want)
	if got := h.counted(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestQueueWaits has a queue with room for little: nothing is lost, those who bring wait.
func TestQueueWaits(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.QueueBytes = 1 })
	m := h.Messages()
	in := h.intake("test", nil, "")
	for i := range 100 {
		var from [4]byte
		m.q.put(sampleMessage("m", float64(i)), in, netip.AddrPortFrom(netip.AddrFrom4(from), 1))
	}
	m.Close()
	if got := h.read("vm", "m"); len(got) != 100 {
		t.Errorf("%d samples", len(got))
	}
}

func TestLogIsBounded(t *testing.T) {
	var b bytes.Buffer
	now := time.Unix(0, arrival)
	l := newRefusalLog(slog.New(slog.NewTextHandler(&b, nil)), func() time.Time { return now })
	for range 1000 {
		l.tell("udp", peerText("a"), refuse(reasonVolume, "x"), 1)
	}
	l.tell("udp", peerText("a"), refuse(reasonName, "y"), 1)
	now = now.Add(logEvery)
	l.tell("udp", peerText("a"), refuse(reasonVolume, "z"), 1)
	if lines := strings.Count(b.String(), "\n"); lines != 3 || !strings.Contains(b.String(), "last=z count=1000") {
		t.Error(b.String())
	}
}
