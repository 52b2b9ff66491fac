package ceilometer

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// decodeMetadata decodes the metadata of a context, its numbers as they are written.
func decodeMetadata(b []byte) map[string]any {
	if len(b) <= 2 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var m map[string]any
	if dec.Decode(&m) != nil { // it was one when it was stored
		return nil
	}
	return m
}

// appendFlat appends metadata as this API shows it: an object of strings, the keys of all levels in one key, of which the first separator
// is a dot and the others are colons.
func appendFlat(dst []byte, metadata map[string]any) []byte {
	dst = append(dst, '{')
	first := len(dst)
	eachLeaf("", metadata, func(path string, x any) {
		if len(dst) > first {
			dst = append(dst, ", "...)
		}
		dst = append(appendText(dst, flatKey(path)), ": "...)
		dst = appendText(dst, pythonText(x))
	})
	return append(dst, '}')
}

// eachLeaf goes through what is no object, in the order of keys.
func eachLeaf(prefix string, level map[string]any, fn func(path string, x any)) {
	for _, key := range slices.Sorted(maps.Keys(level)) {
		if below, ok := level[key].(map[string]any); ok {
			eachLeaf(prefix+key+".", below, fn)
			continue
		}
		fn(prefix+key, level[key])
	}
}

func flatKey(path string) string {
	i := strings.IndexAny(path, ".:")
	if i < 0 {
		return path
	}
	return path[:i] + "." + strings.ReplaceAll(path[i+1:], ".", ":")
}

// pythonText is a value of JSON as Python's str() writes it.
func pythonText(x any) string {
	if s, ok := x.(string); ok {
		return s
	}
	return string(appendRepr(nil, x))
}

// appendRepr appends a value of JSON as Python's repr() writes it.
func appendRepr(dst []byte, x any) []byte {
	switch x := x.(type) {
	case nil:
		return append(dst, "None"...)
	case bool:
		if x {
			return append(dst, "True"...)
		}
		return append(dst, "False"...)
	case json.Number:
		return appendNumberRepr(dst, string(x))
	case string:
		return appendStringRepr(dst, x)
	case []any:
		dst = append(dst, '[')
		for i, e := range x {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendRepr(dst, e)
		}
		return append(dst, ']')
	case map[string]any:
		dst = append(dst, '{')
		for i, key := range slices.Sorted(maps.Keys(x)) {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(appendStringRepr(dst, key), ": "...)
			dst = appendRepr(dst, x[key])
		}
		return append(dst, '}')
	}
	return dst
}

func appendNumberRepr(dst []byte, s string) []byte {
	if !strings.ContainsAny(s, ".eE") {
		if s == "-0" {
			s = "0"
		}
		return append(dst, s...)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return append(dst, strings.ReplaceAll(strings.Trim(s[:1], "0123456789"), "+", "")+"inf"...)
	}
	return appendFloat(dst, f)
}

// appendStringRepr appends s in quotes as Python does: single ones unless there are just such inside.
func appendStringRepr(dst []byte, s string) []byte {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	dst = append(dst, quote)
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < 0x20 || r >= 0x7f && r <= 0xa0 || r == 0xad:
			dst = append(dst, '\\', 'x', hexDigits[r>>4&15], hexDigits[r&15])
		default:
			dst = append(dst, string(r)...)
		}
	}
	return append(dst, quote)
}
