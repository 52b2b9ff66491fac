package samples

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
)

// attributesOf returns the attributes of a resource of a type, as the metadata have them: those without a value, or with one that the
// type does not take, are absent. The type is as it is stored: somebody may have changed it.
func attributesOf(t engine.ResourceType, metadata []byte) map[string]index.Value {
	var m map[string]any
	if json.Unmarshal(metadata, &m) != nil { // an error here is one of the context, too
		return nil
	}
	values := map[string]index.Value{}
	for _, a := range resourceTypes[t.Name] {
		def, ok := t.Attribute(a.Name)
		if !ok {
			continue
		}
		if v := attributeValue(def, firstOf(m, a.paths)); v.Kind != index.Null && def.Fits(v) == "" {
			values[a.Name] = v
		}
	}
	return values
}

// complete tells whether the attributes that the type requires are there.
func complete(t engine.ResourceType, values map[string]index.Value) bool {
	for _, a := range t.Attributes {
		if _, ok := values[a.Name]; a.Required && !ok {
			return false
		}
	}
	return true
}

// firstOf returns the value of the first path that has one.
func firstOf(m map[string]any, paths []string) any {
	for _, p := range paths {
		if v := at(m, p); v != nil {
			return v
		}
	}
	return nil
}

// at follows a path of keys joined by dots.
func at(m map[string]any, path string) any {
	key, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return m[key]
	}
	level, _ := m[key].(map[string]any)
	return at(level, rest)
}

// attributeValue turns a value of metadata into one of the attribute; Null: it is none.
func attributeValue(a engine.Attribute, x any) index.Value {
	s, ok := x.(string)
	if !ok {
		return index.Value{}
	}
	switch a.Type {
	case engine.AttributeString:
		return index.Value{Kind: index.Bytes, Str: s}
	case engine.AttributeUUID:
		if id, err := engine.ParseUUID(s); err == nil {
			return index.Value{Kind: index.Bytes, Str: string(id[:])}
		}
	case engine.AttributeDatetime:
		if t, ok := parseTime(s); ok {
			return index.Value{Kind: index.Time, Time: t.UnixNano()}
		}
	}
	return index.Value{}
}

// parseTime reads times as nova spells them. Without an offset they are UTC.
func parseTime(s string) (time.Time, bool) {
	s = strings.Replace(s, " ", "T", 1)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1970 && t.Year() <= 2261 {
			return t, true
		}
	}
	return time.Time{}, false
}
