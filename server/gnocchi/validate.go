package gnocchi

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// at is a place in a body: the keys and indexes that lead there. nil is the top.
type at struct {
	up    *at
	key   string // of an object's member
	index int    // of a list's item, -1 for a member
}

func (p *at) member(key string) *at { return &at{p, key, -1} }

func (p *at) item(i int) *at { return &at{p, "", i} }

// detail lists the steps as text.
func (p *at) detail() []string {
	switch {
	case p == nil:
		return []string{}
	case p.index < 0:
		return append(p.up.detail(), p.key)
	}
	return append(p.up.detail(), strconv.Itoa(p.index))
}

func (p *at) append(dst []byte) []byte {
	if p == nil {
		return append(dst, "data"...)
	}
	dst = append(p.up.append(dst), '[')
	if p.index < 0 {
		dst = appendPyQuoted(dst, p.key)
	} else {
		dst = strconv.AppendInt(dst, int64(p.index), 10)
	}
	return append(dst, ']')
}

// invalidKey is the error of a member that should not be there or is missing.
func invalidKey(phrase string, p *at) error {
	return badRequest(object{
		{"cause", "Invalid input"},
		{"reason", phrase + " @ " + string(p.append(nil))},
		{"detail", p.detail()},
	})
}

// invalid is the error of a value.
func invalid(phrase string, p *at) error {
	switch {
	case p == nil:
		return badRequest(object{{"cause", "Invalid input"}, {"reason", phrase}, {"detail", []any{}}})
	case p.index < 0:
		return invalidKey(phrase+" for dictionary value", p)
	}
	return invalidKey(phrase, p)
}

func extraKey(p *at) error { return invalidKey("extra keys not allowed", p) }

func missingKey(p *at) error { return invalidKey("required key not provided", p) }

// field is a member of an object in a body.
type field struct {
	key   string
	value *fastjson.Value
}

// fields appends the members of an object to dst, the last of those with one name in the place of the first, as Python reads
// them. Keys are valid as long as the body is.
func fields(dst []field, o *fastjson.Object) []field {
	from := len(dst)
	var places map[string]int // only for objects too large to look through
	if n := o.Len(); n > 32 {
		places = make(map[string]int, n)
	}
	o.Visit(func(key []byte, v *fastjson.Value) {
		k := unsafeString(key)
		if places != nil {
			if i, ok := places[k]; ok {
				dst[i].value = v
				return
			}
			places[k] = len(dst)
		} else {
			for i := from; i < len(dst); i++ {
				if dst[i].key == k {
					dst[i].value = v
					return
				}
			}
		}
		dst = append(dst, field{k, v})
	})
	return dst
}

// asObject gives the members of an object.
func asObject(v *fastjson.Value, p *at) ([]field, error) {
	o, err := v.Object()
	if err != nil {
		return nil, invalid("expected a dictionary", p)
	}
	return fields(nil, o), nil
}

// asList gives the items of a list.
func asList(v *fastjson.Value, p *at) ([]*fastjson.Value, error) {
	a, err := v.Array()
	if err != nil {
		return nil, invalid("expected a list", p)
	}
	return a, nil
}

// text copies the string that v is.
func text(v *fastjson.Value) string {
	b, _ := v.StringBytes()
	return string(b)
}

// asString reads a string of at most limit characters; 0 is no limit.
func asString(v *fastjson.Value, p *at, limit int) (string, error) {
	if v.Type() != fastjson.TypeString {
		return "", invalid("expected str", p)
	}
	s := text(v)
	if limit > 0 && utf8.RuneCountInString(s) > limit {
		return "", invalid("length of value must be at most "+strconv.Itoa(limit), p)
	}
	return s, nil
}

// jsonFloat reads a number or true or false.
func jsonFloat(v *fastjson.Value) (float64, bool) {
	switch v.Type() {
	case fastjson.TypeNumber:
		var buf [32]byte
		return parseJSONNumber(v.MarshalTo(buf[:0]))
	case fastjson.TypeTrue:
		return 1, true
	case fastjson.TypeFalse:
		return 0, true
	}
	return 0, false
}

// asInt reads a whole number of at least least, from text as well.
func asInt(v *fastjson.Value, p *at, least int64) (int64, error) {
	var n int64
	if v.Type() == fastjson.TypeString {
		var ok bool
		if n, ok = parsePyInt(text(v)); !ok {
			return 0, invalid("expected int", p)
		}
	} else {
		f, ok := jsonFloat(v)
		if !ok || !(math.Abs(f) < math.MaxInt64) {
			return 0, invalid("expected int", p)
		}
		n = int64(f)
	}
	if n < least {
		return 0, invalid("value must be at least "+strconv.FormatInt(least, 10), p)
	}
	return n, nil
}

// parsePyInt reads a whole number as Python's int() does.
func parsePyInt(s string) (int64, bool) {
	s, ok := dropUnderscores(strings.TrimSpace(s))
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// parsePyBool reads a truth value of a query string.
func parsePyBool(name, value string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "1", "t", "true", "on", "y", "yes":
		return true, nil
	case "0", "f", "false", "off", "n", "no":
		return false, nil
	}
	return false, badRequest("Unable to parse `" + name + "': Unrecognized value '" + value + "', acceptable values are: " +
		"'0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'")
}
