package query

import (
	"math"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// numberOfJSON reads a number of a JSON text: whole ones stay whole.
func numberOfJSON(v *fastjson.Value) rawNumber {
	text := string(v.MarshalTo(nil))
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && f == 0 {
		f = math.NaN() // a spelling that only the decoder knows
	}
	if digits := strings.TrimPrefix(text, "-"); digits != "" && strings.Trim(digits, "0123456789") == "" {
		return rawNumber{f, text}
	}
	return numberOf(f)
}

func numberOf(f float64) rawNumber { return rawNumber{f, pyFloat(f)} }

// pyFloat writes a number as Python's repr does.
func pyFloat(f float64) string {
	switch a := math.Abs(f); {
	case f != f:
		return "nan"
	case math.IsInf(f, 0):
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(f, 'f', -1, 64)), "+")
	case a != 0 && (a < 1e-4 || a >= 1e16):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// pyText writes a value as Python's str does.
func pyText(v raw) string {
	if s, ok := v.(string); ok {
		return s
	}
	return pyRepr(v)
}

func pyRepr(v raw) string {
	switch v := v.(type) {
	case bool:
		if v {
			return "True"
		}
		return "False"
	case rawNumber:
		return v.text
	case string:
		if strings.Contains(v, "'") && !strings.Contains(v, `"`) {
			return `"` + v + `"`
		}
		return "'" + strings.ReplaceAll(strings.ReplaceAll(v, `\`, `\\`), "'", `\'`) + "'"
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = pyRepr(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "None"
}

// plain gives a key that is no string as FilterShapeError.Path has it.
func plainKey(v raw) any {
	switch v := v.(type) {
	case rawNumber:
		return v.f
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plainKey(v[i])
		}
		return out
	}
	return v
}
