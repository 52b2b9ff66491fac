package main

import (
	"bufio"
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/server/publish"
	"github.com/telemetrydb/tsdb/server/samples"
)

// exported is all that a store has, as lines in order.
func (h *oneStore) exported() []string {
	h.t.Helper()
	var out bytes.Buffer
	b := bufio.NewWriter(&out)
	lines := &jsonLines{w: b}
	if _, err := h.store.Each(h.t.Context(), samples.Selection{}, lines.sample); err != nil {
		h.t.Fatal(err)
	}
	if _, err := lines.events(h.t.Context(), h.db, samples.Selection{}); err != nil {
		h.t.Fatal(err)
	}
	if err := b.Flush(); err != nil {
		h.t.Fatal(err)
	}
	all := strings.Split(out.String(), "\n")
	slices.Sort(all)
	return all
}

// TestOneStoreMoves exports what came through all doors, and imports it into another store: an export of that is the same.
func TestOneStoreMoves(t *testing.T) {
	from, to := newOneStore(t), newOneStore(t)
	from.prepare()
	for _, d := range oneStoreDoors {
		d.write(from)
	}
	for door, write := range eventDoors {
		write(from, door)
	}
	want := from.exported()
	got, err := to.doors.ReadFile(t.Context(), strings.NewReader(strings.Join(want, "\n")), nil)
	if err != nil || len(got.Refused) > 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	if have := to.exported(); !slices.Equal(have, want) {
		t.Errorf(" got %s\nwant %s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}

// TestOneStoreOwners has what came without an owner get one: from then on it is the owner's through both APIs. And who is no administrator
// cannot write what is not theirs.
func TestOneStoreOwners(t *testing.T) {
	h := newOneStore(t)
	h.prepare()
	owner := caller{"u-new", "p-new", "member"}
	for _, d := range oneStoreDoors {
		w := d.write(h)
		if !w.nobodys {
			continue
		}
		h.look(w)
		h.must(h.open.gnocchi, caller{}, 200, "PATCH", "/v1/resource/"+w.kind+"/"+w.id, `{"project_id": "p-new", "user_id": "u-new"}`)
		w.user, w.project, w.nobodys = &owner.user, &owner.project, false
		for _, r := range oneStoreReaders {
			h.check(w, &r, "the new owner", h.open, owner, r.seen(w))
			h.check(w, &r, "a stranger", h.open, stranger, r.hidden)
		}
		h.checkExport(w)
	}
	before := h.db.Stats().Samples
	w := usual("http")
	h.look(w)
	w.metadata = "{}"
	for _, tc := range []struct {
		method, path, body string
		want               int
		gnocchi            bool
	}{
		{"POST", publish.PathPublish, objectForm(w, 0), 403, false},
		{"POST", publish.PathOTLP, otlpRequest(w, "s", w.meter, "", 1), 403, false},
		{"POST", publish.PathPush + "/j", "m 1\n", 403, false},
		{"POST", "/v2/meters/" + w.meter, "[" + strings.Replace(messageForm(w, 0), `,"message_id":"http-0"`, "", 1) + "]", 400, false},
		{"POST", "/v1/metric/" + w.metric + "/measures", measures(w), 403, true},
		{"POST", "/v1/batch/metrics/measures", `{"` + w.metric + `": ` + measures(w) + `}`, 403, true},
		{"POST", "/v1/batch/resources/metrics/measures", `{"` + w.id + `": {"` + w.meter + `": ` + measures(w) + `}}`, 403, true},
		{"PATCH", "/v1/resource/" + w.kind + "/" + w.id, `{"project_id": "p-stranger"}`, 403, true},
		{"DELETE", "/v1/resource/" + w.kind + "/" + w.id, "", 403, true},
	} {
		api := h.open.ceilometer
		if tc.gnocchi {
			api = h.open.gnocchi
		}
		if status, answer := ask(api, stranger, tc.method, tc.path, tc.body); status != tc.want {
			t.Errorf("%s %s: %d %s, want %d", tc.method, tc.path, status, answer, tc.want)
		}
	}
	if after := h.db.Stats().Samples; after != before {
		t.Errorf("%d samples of a stranger were stored", after-before)
	}
}
