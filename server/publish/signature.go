package publish

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// signatureField is where a message has its signature, which is not part of what is signed.
const signatureField = "message_signature"

// signed tells whether a message has the signature that its sender makes of it with the secret: HMAC-SHA256, in hexadecimal digits,
// over its keys and values as Python's str gives them, in the order of the keys. Keys of objects within objects follow a colon. Lists
// are texts as a whole, in which strings are what Python calls bytes.
func signed(v *fastjson.Value, secret string) bool {
	o, err := v.Object()
	if err != nil {
		return false
	}
	given := o.Get(signatureField).GetStringBytes()
	want := appendPairs(nil, "", o)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(want)
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], mac.Sum(nil))
	return hmac.Equal(given, text[:])
}

type pair struct {
	key   string
	value *fastjson.Value
}

// sortedPairs are what an object has, in the order of the keys. Of equal keys the last counts.
func sortedPairs(o *fastjson.Object) []pair {
	pairs := make([]pair, 0, o.Len())
	o.Visit(func(key []byte, v *fastjson.Value) { pairs = append(pairs, pair{string(key), v}) })
	slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.key, b.key) })
	kept := pairs[:0]
	for i, p := range pairs {
		if i+1 == len(pairs) || pairs[i+1].key != p.key {
			kept = append(kept, p)
		}
	}
	return kept
}

func appendPairs(dst []byte, prefix string, o *fastjson.Object) []byte {
	for _, p := range sortedPairs(o) {
		name := prefix + p.key
		if inner, err := p.value.Object(); err == nil {
			dst = appendPairs(dst, name+":", inner)
		} else if name != signatureField {
			dst = appendPyStr(append(dst, name...), p.value, false)
		}
	}
	return dst
}

// appendPyStr appends what Python's str gives for a value; of one within a list, what repr gives once texts are bytes.
func appendPyStr(dst []byte, v *fastjson.Value, within bool) []byte {
	switch v.Type() {
	case fastjson.TypeNull:
		return append(dst, "None"...)
	case fastjson.TypeTrue:
		return append(dst, "True"...)
	case fastjson.TypeFalse:
		return append(dst, "False"...)
	case fastjson.TypeString:
		s, _ := v.StringBytes()
		if within {
			return appendPyBytes(dst, s)
		}
		return append(dst, s...)
	case fastjson.TypeNumber:
		return appendPyNumber(dst, v)
	case fastjson.TypeArray:
		list, _ := v.Array()
		dst = append(dst, '[')
		for i, e := range list {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendPyStr(dst, e, true)
		}
		return append(dst, ']')
	}
	o, _ := v.Object()
	dst = append(dst, '{')
	for i, p := range sortedPairs(o) {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(appendPyBytes(dst, []byte(p.key)), ": "...)
		dst = appendPyStr(dst, p.value, true)
	}
	return append(dst, '}')
}

// appendPyNumber appends a number: integers as they are, others as Python has them.
func appendPyNumber(dst []byte, v *fastjson.Value) []byte {
	text := string(v.MarshalTo(nil))
	if n := digits(strings.TrimPrefix(text, "-")); n == len(strings.TrimPrefix(text, "-")) {
		if text == "-0" {
			text = "0"
		}
		return append(dst, text...)
	}
	f, _ := strconv.ParseFloat(text, 64) // out of range: infinity, as in Python
	return appendPyFloat(dst, f)
}
