package engine

import (
	"context"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/index"
)

// The part of the catalogue's model that knows resource types.

// modelAttributes are all attributes that the model's types may have.
var modelAttributes = map[string]Attribute{
	"host": {Name: "host", Type: AttributeString, MaxLength: 2},
	"size": {Name: "size", Type: AttributeNumber, Min: ptr(1.0)},
	"on":   {Name: "on", Type: AttributeBool},
	"at":   {Name: "at", Type: AttributeDatetime},
	"ref":  {Name: "ref", Type: AttributeUUID},
}

func (h *catHarness) randomAttribute(name string) index.Value {
	switch name {
	case "host":
		return textValue(pick(h.r, "h1", "h2", "h3"))
	case "size":
		return index.Value{Kind: index.Number, Num: float64(1 + h.r.IntN(5))}
	case "on":
		return index.Value{Kind: index.Bool, Num: float64(h.r.IntN(2))}
	case "at":
		return index.Value{Kind: index.Time, Time: h.r.Int64() - h.r.Int64()}
	}
	return uuidValue(h.uuid())
}

// fits tells whether a resource of the type may have r's attributes. What it has from old is not looked at.
func (m *catModel) fits(r *Resource, typ string, old *Resource) error {
	t, ok := m.types[typ]
	if !ok {
		if old != nil {
			return nil // it is not there at all
		}
		return ErrNotFound
	}
	if typ == "generic" {
		return nil
	}
	had := map[string]index.Value{}
	if old != nil {
		had = old.Attributes
	}
	for name, v := range r.Attributes {
		if v == had[name] {
			continue
		}
		if _, ok := t.Attribute(name); !ok {
			return ErrInvalid
		}
	}
	for _, a := range t.Attributes {
		_, has := r.Attributes[a.Name]
		_, hadIt := had[a.Name]
		if a.Required && !has && (old == nil || hadIt) {
			return ErrInvalid
		}
	}
	return nil
}

// trim mostly takes attributes from r that its type does not have.
func (m *catModel) trim(r *rand.Rand, to *Resource, typ string, old *Resource) {
	if t, ok := m.types[typ]; ok && typ != "generic" && r.IntN(8) > 0 {
		maps.DeleteFunc(to.Attributes, func(name string, _ index.Value) bool {
			_, ok := t.Attribute(name)
			return !ok
		})
	}
}

func (h *catHarness) randomType() ResourceType {
	t := ResourceType{Name: pick(h.r, "instance", "volume", "generic")}
	for _, name := range slices.Sorted(maps.Keys(modelAttributes)) {
		if h.r.IntN(2) == 0 {
			a := modelAttributes[name]
			a.Required = h.r.IntN(6) == 0
			if a.Type == AttributeString {
				a.MaxLength += h.r.IntN(3)
			}
			t.Attributes = append(t.Attributes, a)
		}
	}
	h.r.Shuffle(len(t.Attributes), func(i, j int) { t.Attributes[i], t.Attributes[j] = t.Attributes[j], t.Attributes[i] })
	return t
}

func (h *catHarness) typeStep(tx *Tx, m *catModel, same func(op string, got, want error)) {
	t := h.randomType()
	old, ok := m.types[t.Name]
	var want error
	switch h.r.IntN(3) {
	case 0:
		if want = ErrExists; !ok {
			want, m.types[t.Name] = nil, t
		}
		same("create type", tx.CreateResourceType(t), want)
	case 1:
		fill := map[string]index.Value{}
		for name := range modelAttributes {
			if h.r.IntN(4) > 0 {
				fill[name] = h.randomAttribute(name)
			}
		}
		want = m.updateType(old, ok, t, fill)
		same("update type", tx.UpdateResourceType(t, fill), want)
	case 2:
		used := slices.ContainsFunc(slices.Collect(maps.Values(m.resources)), func(r Resource) bool { return r.Type == t.Name })
		switch {
		case !ok:
			want = ErrNotFound
		case used || t.Name == "generic":
			want = ErrInUse
		default:
			delete(m.types, t.Name)
		}
		same("delete type", tx.DeleteResourceType(t.Name), want)
	}
}

func (m *catModel) updateType(old ResourceType, ok bool, t ResourceType, fill map[string]index.Value) error {
	if !ok {
		return ErrNotFound
	}
	if t.Name == "generic" {
		return ErrInUse
	}
	fills := map[string]index.Value{}
	for _, a := range t.Attributes {
		was, ok := old.Attribute(a.Name)
		if ok && reflect.DeepEqual(was, a) {
			continue
		}
		if v, ok := fill[a.Name]; ok {
			fills[a.Name] = v
		} else if a.Required {
			return ErrInvalid
		}
	}
	m.types[t.Name] = t
	change := func(r Resource) Resource {
		if r.Type != t.Name {
			return r
		}
		r.Attributes = maps.Clone(r.Attributes)
		for _, a := range old.Attributes {
			if _, ok := t.Attribute(a.Name); !ok {
				delete(r.Attributes, a.Name)
			}
		}
		for name, v := range fills {
			if _, ok := r.Attributes[name]; !ok {
				r.Attributes[name] = v
			}
		}
		return r
	}
	for id, r := range m.resources {
		m.resources[id] = change(r)
	}
	for i, r := range m.past {
		m.past[i] = change(r)
	}
	return nil
}

// deleteMany deletes what a filter selects, on both sides.
func (h *catHarness) deleteMany() {
	h.t.Helper()
	f := &index.Filter{Op: index.And, Subs: []*index.Filter{
		{Op: index.Eq, Field: fieldProject, Value: textValue("p2")}, {Op: index.Eq, Field: "host", Value: textValue("h1")}}}
	want := 0
	for id, r := range h.m.resources {
		if s := newResource(0, &r, nil); holds(f.Subs[0], s) && holds(f.Subs[1], s) {
			h.m.deleteResource(id)
			want++
		}
	}
	err := h.db.Update(context.Background(), func(tx *Tx) error {
		n, err := tx.DeleteResources(f)
		if n != want {
			h.t.Errorf("deleted %d, want %d", n, want)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestAttributeCheck(t *testing.T) {
	f := func(a Attribute, want string) {
		t.Helper()
		if got := a.Check(); got != want {
			t.Errorf("%+v: %q, want %q", a, got, want)
		}
	}
	f(Attribute{Name: "new-optional-bool", Type: AttributeBool}, "")
	f(Attribute{Name: "0", Type: AttributeUUID}, "")
	f(Attribute{Name: "", Type: AttributeUUID}, "Resource attribute name  is invalid")
	f(Attribute{Name: "_x", Type: AttributeUUID}, "Resource attribute name _x is invalid")
	f(Attribute{Name: "metrics", Type: AttributeUUID}, "Resource attribute name metrics is invalid")
	f(Attribute{Name: "n", Type: AttributeNumber, Min: ptr(9.0), Max: ptr(3.0)},
		"Resource attribute value min (or min_length) 9 must be less  than or equal to max (or max_length) 3!")
	f(Attribute{Name: "s", Type: AttributeString, MinLength: 4, MaxLength: 3},
		"Resource attribute value min (or min_length) 4 must be less  than or equal to max (or max_length) 3!")
	f(Attribute{Name: "s", Type: AttributeString, MaxLength: 513}, "attribute s: lengths are from 0 to 512")
	f(Attribute{Name: "s"}, "attribute s is of an unknown type")
}

// TestTypesAfterOpening: types are read back as they were.
func TestTypesAfterOpening(t *testing.T) {
	fs := vfs.NewMem()
	want := ResourceType{Name: "a", Attributes: []Attribute{{Name: "s", Type: AttributeString, MinLength: 1, MaxLength: 256, Required: true},
		{Name: "n", Type: AttributeNumber, Max: ptr(-0.5)}, {Name: "d", Type: AttributeDatetime}}}
	for i := range 2 {
		db, err := Open("db", &Options{FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			err = db.Update(t.Context(), func(tx *Tx) error { return tx.CreateResourceType(want) })
		}
		got, gerr := db.ResourceType("a")
		if err != nil || gerr != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, %v", got, err, gerr)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
