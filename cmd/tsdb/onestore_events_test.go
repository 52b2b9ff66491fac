package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/server/publish"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// eventForm is an event of a door, as Ceilometer's http publisher has it, or its file publisher.
func eventForm(door string, file bool) string {
	traits := fmt.Sprintf(`["project_id",1,"p-%s"],["user_id",1,"u-%s"],["vcpus",2,2],["load",3,0.5],["launched_at",4,"2026-01-02T11:00:00"]`, door, door)
	if file {
		traits = strings.NewReplacer(`["`, `{"name":"`, `",1,`, `","dtype":1,"value":`, `",2,`, `","dtype":2,"value":`, `",3,`, `","dtype":3,"value":`,
			`",4,`, `","dtype":4,"value":`, `]`, `}`).Replace(traits)
	}
	return fmt.Sprintf(`{"message_id":"e-%s","event_type":"type.%s","generated":"2026-01-02T12:00:00.123000","traits":[%s],"raw":{"priority":"INFO"}}`,
		door, door, traits)
}

// eventDoors are the ways in for events.
var eventDoors = map[string]func(h *oneStore, door string){
	"http": func(h *oneStore, door string) {
		h.must(h.open.ceilometer, caller{}, 202, "POST", publish.PathPublish, eventForm(door, false))
	},
	"file": func(h *oneStore, door string) {
		got, err := h.doors.ReadFile(h.t.Context(), strings.NewReader(eventForm(door, true)+"\n"), nil)
		if err != nil || got.Stored != 1 {
			h.t.Fatalf("%+v, %v", got, err)
		}
	},
	"dump": func(h *oneStore, door string) {
		trait := func(name string, typ int, value any) bson.D {
			return bson.D{{Key: "trait_name", Value: name}, {Key: "trait_type", Value: typ}, {Key: "trait_value", Value: value}}
		}
		at := primitive.NewDateTimeFromTime(time.Unix(0, firstTime))
		doc, err := bson.Marshal(bson.D{{Key: "_id", Value: "e-" + door}, {Key: "event_type", Value: "type." + door}, {Key: "timestamp", Value: at},
			{Key: "traits", Value: bson.A{trait("project_id", 1, "p-"+door), trait("user_id", 1, "u-"+door), trait("vcpus", 2, int32(2)), trait("load", 3, 0.5),
				trait("launched_at", 4, primitive.NewDateTimeFromTime(time.Date(2026, 1, 2, 11, 0, 0, 0, time.UTC)))}},
			{Key: "raw", Value: bson.D{{Key: "priority", Value: "INFO"}}}})
		if err != nil {
			h.t.Fatal(err)
		}
		if report := h.runImport("event.bson", doc); report.Events != 1 {
			h.t.Fatalf("%+v", report)
		}
	},
}

// shownEvent spells an event of an answer.
func shownEvent(v any) string {
	traits := strings.Split(each(dig(v, "traits"), func(t any) string { return row(t, "name", "type", "value") }), "\n")
	slices.Sort(traits)
	return row(v, "message_id", "event_type", "generated") + strings.Join(traits, "; ")
}

// TestOneStoreEvents writes an event through each door and reads it through each reader, as TestOneStore does with samples.
func TestOneStoreEvents(t *testing.T) {
	h := newOneStore(t)
	for door, write := range eventDoors {
		write(h, door)
	}
	for door := range eventDoors {
		want := fmt.Sprintf("e-%s type.%s 2026-01-02T12:00:00.123000; launched_at datetime 2026-01-02T11:00:00; load float 0.5; project_id string p-%s; "+
			"user_id string u-%s; vcpus integer 2", door, door, door, door)
		owner := caller{"u-" + door, "p-" + door, "member"}
		list := func(b []byte) string { return each(decode(b), shownEvent) }
		for _, r := range []struct {
			path         string
			show         func(b []byte) string
			seen, hidden string
			adminsOnly   bool
		}{
			{"/v2/events/e-" + door, func(b []byte) string { return shownEvent(decode(b)) }, want, "404", false},
			{"/v2/events?" + filters("event_type", "type."+door), list, want + "\n", "", false},
			{"/v2/events?" + filters("message_id", "e-"+door), list, want + "\n", "", false},
			{"/v2/events?q.field=vcpus&q.op=eq&q.type=integer&q.value=2&" + filters("event_type", "type."+door), list, want + "\n", "", false},
			{"/v2/event_types/type." + door + "/traits/load", func(b []byte) string { return string(b) }, `[{"name": "load", "type": "float", "value": "0.5"}]`, "401", true},
		} {
			for who, c := range map[string]caller{"the owner": owner, "an administrator": {}, "a stranger": stranger, "another user of the project": {"u-x", owner.project, "member"}} {
				status, answer := ask(h.open.ceilometer, c, "GET", r.path, "")
				got, want := fmt.Sprint(status), r.hidden
				if status == 200 {
					got = r.show([]byte(answer))
				}
				if c == (caller{}) || c == owner && !r.adminsOnly {
					want = r.seen
				}
				if got != want {
					t.Errorf("%s, through %s, to %s:\n got %s\nwant %s\n(%s)", door, r.path, who, got, want, answer)
				}
			}
			if status, _ := ask(h.checked.ceilometer, caller{}, "GET", r.path, ""); status != 401 {
				t.Errorf("%s to nobody: %d", r.path, status)
			}
		}
	}
}
