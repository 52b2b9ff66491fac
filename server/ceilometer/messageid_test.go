package ceilometer

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/samples"
)

// TestMessageIDsKept looks for the message ids that senders gave wherever samples are shown or asked for by them.
func TestMessageIDsKept(t *testing.T) {
	h := newHarness(t)
	h.store = samples.New(h.db, &samples.Options{KeepMessageIDs: true})
	h.handler = New(h.db, h.store, &Options{Gate: auth.NewGate(auth.None{}, nil)})
	const odd, plain = `an "odd" id`, "58d3e2a0-0b5e-11f0-8000-fa163e000001"
	x := samples.Sample{Meter: "m", ResourceID: "r", Time: at("2024-01-01T00:00:00"), MessageID: odd}
	y := x
	y.MessageID, y.Volume = plain, 1
	z := x
	z.MessageID, z.Volume = "", 2
	ids := h.write(x, y, z, x)
	if ids[0] != odd || ids[1] != plain || ids[3] != odd || ids[2] == "" {
		t.Fatal(ids)
	}
	want := ids[2] + " 2; " + plain + " 1; " + odd + " 0"
	if got := show(h.get("/v2/meters/m", nil), "message_id", "counter_volume"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := show(h.get("/v2/samples", nil), "id", "volume"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for i, id := range ids[:3] {
		got := h.get("/v2/samples/"+url.PathEscape(id), nil).(map[string]any)
		if got["id"] != id || got["volume"] != float64(i) {
			t.Errorf("%s: %v", id, got)
		}
	}
	w := h.ask(http.MethodPost, "/v2/query/samples", `{"filter": "{\"=\": {\"message_id\": \"`+plain+`\"}}"}`, nil)
	if got := show(h.decoded(w, 200), "id", "volume"); got != plain+" 1" {
		t.Errorf("complex query: %s", got)
	}
	h.decoded(h.ask(http.MethodGet, "/v2/samples/nobody", "", nil), 404)
}
