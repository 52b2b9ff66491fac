package engine

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/telemetrydb/tsdb/index"
)

// AttributeType says what the values of an attribute are.
type AttributeType uint8

// The types of attributes. Values of text and UUIDs are index.Bytes, of UUIDs 16 of them; datetimes are index.Time.
const (
	AttributeString AttributeType = iota + 1
	AttributeUUID
	AttributeNumber
	AttributeBool
	AttributeDatetime
)

// Attribute is what resources of a type have beside what all have.
type Attribute struct {
	Name                 string // 1 to 63 characters, beginning with an ASCII letter or digit
	Type                 AttributeType
	Required             bool
	MinLength, MaxLength int      // of strings, in characters, at most 512
	Min, Max             *float64 // of numbers; nil: no bound
}

// ResourceType is a kind of resources. The type "generic" is always there and cannot be changed; what embeds the engine may give
// its resources any attributes.
type ResourceType struct {
	Name       string
	Attributes []Attribute // names differ
}

// Attribute returns the attribute of that name.
func (t *ResourceType) Attribute(name string) (Attribute, bool) {
	for _, a := range t.Attributes {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

func (t *ResourceType) export() ResourceType {
	return ResourceType{t.Name, slices.Clone(t.Attributes)}
}

// genericType is the name of the type that needs no record.
const genericType = "generic"

const (
	maxAttributeName  = 63  // characters
	maxAttributeChars = 512 // of a string: those of Prometheus' resources may have as many
)

// typeSet is all resource types by name. It never changes: a commit puts another in its place.
type typeSet map[string]*ResourceType

func (s typeSet) get(name string) (*ResourceType, error) {
	if t := s[name]; t != nil {
		return t, nil
	}
	return nil, &Error{Kind: KindResourceType, Name: name, Err: ErrNotFound}
}

// An attribute of a type may be called as the original id is: Gnocchi permits it, and shows the id. Resources have no value of it.
func (a *Attribute) shadowed() bool { return a.Name == fieldOriginalID }

// reservedNames cannot be attributes' names, beside resourceFields.
var reservedNames = []string{"metrics", "created_by_user_id", "created_by_project_id", "get_metric"}

// Check tells what is wrong with an attribute, in words that may be shown; empty: nothing.
func (a *Attribute) Check() string {
	first := byte(0)
	if a.Name != "" {
		first = a.Name[0]
	}
	alphanumeric := '0' <= first && first <= '9' || 'a' <= first|0x20 && first|0x20 <= 'z'
	if !alphanumeric || utf8.RuneCountInString(a.Name) > maxAttributeName || !utf8.ValidString(a.Name) ||
		slices.Contains(resourceFields, a.Name) && !a.shadowed() || slices.Contains(reservedNames, a.Name) {
		return "Resource attribute name " + a.Name + " is invalid"
	}
	between := func(least, most any) string {
		return fmt.Sprintf("Resource attribute value min (or min_length) %v must be less  than or equal to max (or max_length) %v!", least, most)
	}
	switch a.Type {
	case AttributeString:
		if a.MinLength < 0 || a.MaxLength < 1 || max(a.MinLength, a.MaxLength) > maxAttributeChars {
			return fmt.Sprintf("attribute %s: lengths are from 0 to %d", a.Name, maxAttributeChars)
		}
		if a.MinLength > a.MaxLength {
			return between(a.MinLength, a.MaxLength)
		}
	case AttributeNumber:
		if a.Min != nil && a.Max != nil && *a.Min > *a.Max {
			return between(*a.Min, *a.Max)
		}
	case AttributeUUID, AttributeBool, AttributeDatetime:
	default:
		return "attribute " + a.Name + " is of an unknown type"
	}
	return ""
}

func (t *ResourceType) check() error {
	invalid := func(detail string) error {
		return &Error{Kind: KindResourceType, Name: t.Name, Err: ErrInvalid, Detail: detail}
	}
	if fault := checkText(t.Name, 1, maxNameChars); fault != "" {
		return invalid("name is " + fault)
	}
	seen := make(map[string]bool)
	for _, a := range t.Attributes {
		if fault := a.Check(); fault != "" {
			return invalid(fault)
		}
		if seen[a.Name] {
			return invalid("more than one attribute " + a.Name)
		}
		seen[a.Name] = true
	}
	return nil
}

// Fits tells what is wrong with a value of the attribute; empty: nothing.
func (a *Attribute) Fits(v index.Value) string {
	kinds := [...]index.Kind{AttributeString: index.Bytes, AttributeUUID: index.Bytes, AttributeNumber: index.Number,
		AttributeBool: index.Bool, AttributeDatetime: index.Time}
	switch {
	case v.Kind != kinds[a.Type] || a.Type == AttributeUUID && len(v.Str) != len(UUID{}):
		return "is of another type"
	case a.Type == AttributeNumber:
		if a.Min != nil && v.Num < *a.Min || a.Max != nil && v.Num > *a.Max {
			return "is out of range"
		}
	case a.Type == AttributeString:
		if n := utf8.RuneCountInString(v.Str); !utf8.ValidString(v.Str) || n < a.MinLength || n > a.MaxLength {
			return "is too short, too long or not valid UTF-8"
		}
	}
	return ""
}

// checkAttributes says which attribute of now, a state of a resource, does not fit its type. Those that it has from old are not
// looked at; nil: it is new.
func (t *ResourceType) checkAttributes(old, now *Resource) error {
	invalid := func(name, fault string) error {
		return &Error{Kind: KindResource, Name: now.ID.String(), Err: ErrInvalid, Detail: "attribute " + name + " " + fault}
	}
	for name, v := range now.Attributes {
		if v.Kind == index.Null {
			continue
		}
		if old != nil {
			if was := old.Attributes[name]; was.Kind == v.Kind && index.Compare(was, v) == 0 {
				continue
			}
		}
		a, ok := t.Attribute(name)
		if !ok {
			return invalid(name, "is not one of type "+t.Name)
		}
		if fault := a.Fits(v); fault != "" {
			return invalid(name, fault)
		}
	}
	for _, a := range t.Attributes {
		had := old == nil || old.Attributes[a.Name].Kind != index.Null
		if a.Required && !a.shadowed() && had && now.Attributes[a.Name].Kind == index.Null {
			return invalid(a.Name, "is required")
		}
	}
	return nil
}

// sameAttribute compares two definitions.
func sameAttribute(a, b Attribute) bool {
	same := func(x, y *float64) bool { return x == nil && y == nil || x != nil && y != nil && *x == *y }
	if !same(a.Min, b.Min) || !same(a.Max, b.Max) {
		return false
	}
	a.Min, a.Max, b.Min, b.Max = nil, nil, nil, nil
	return a == b
}

// ResourceType returns the type. ErrNotFound.
func (db *DB) ResourceType(name string) (ResourceType, error) {
	t, err := (*db.cat.types.Load()).get(name)
	if err != nil {
		return ResourceType{}, err
	}
	return t.export(), nil
}

// ResourceTypes returns all types by name.
func (db *DB) ResourceTypes() []ResourceType {
	var all []ResourceType
	for _, t := range slices.SortedFunc(maps.Values(*db.cat.types.Load()), func(a, b *ResourceType) int { return cmp.Compare(a.Name, b.Name) }) {
		all = append(all, t.export())
	}
	return all
}

// Records: see catalogue_record.go.

func appendResourceType(dst []byte, t *ResourceType) []byte {
	at := len(dst)
	dst = binary.AppendUvarint(beginRecord(dst), uint64(len(t.Attributes)))
	for _, a := range t.Attributes {
		required := byte(0)
		if a.Required {
			required = 1
		}
		dst = append(appendText(dst, a.Name), byte(a.Type), required)
		switch a.Type {
		case AttributeString:
			dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(a.MinLength)), uint64(a.MaxLength))
		case AttributeNumber:
			dst = appendOptNumber(appendOptNumber(dst, a.Min), a.Max)
		}
	}
	return endRecord(dst, at)
}

func decodeResourceType(name string, rec []byte) (*ResourceType, error) {
	r := openRecord(rec)
	t := &ResourceType{Name: strings.Clone(name)}
	n := r.count(3, "attributes")
	for range n {
		a := Attribute{Name: r.text("attribute"), Type: AttributeType(r.byte("attribute")), Required: r.byte("attribute") != 0}
		switch a.Type {
		case AttributeString:
			a.MinLength, a.MaxLength = int(r.uvarint("length")), int(r.uvarint("length"))
		case AttributeNumber:
			a.Min, a.Max = r.optNumber("bound"), r.optNumber("bound")
		}
		t.Attributes = append(t.Attributes, a)
	}
	if err := r.close(); err != nil {
		return t, err
	}
	return t, t.check() // a record that is whole and yet breaks the rules would break what relies on them
}

func appendOptNumber(dst []byte, f *float64) []byte {
	if f == nil {
		return append(dst, 0)
	}
	return binary.LittleEndian.AppendUint64(append(dst, 1), math.Float64bits(*f))
}

func (r *recordReader) optNumber(what string) *float64 {
	if r.byte(what) == 0 {
		return nil
	}
	s := r.bytes(8, what)
	if s == "" {
		return nil
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64([]byte(s)))
	return &f
}
