package importer

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/bsontype"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// maxDepth is how deep documents may be nested: as deep as MongoDB lets them.
const maxDepth = 100

// errBSON marks what is no BSON.
var errBSON = errors.New("not BSON")

// eachElement calls fn with the elements of a document in their order. What fn gets is memory of the document's.
func eachElement(doc []byte, fn func(key string, v bsoncore.Value) error) error {
	length, rest, ok := bsoncore.ReadLength(doc)
	if !ok || int(length) != len(doc) || length < 5 || doc[len(doc)-1] != 0 {
		return fmt.Errorf("%w: a document of %d bytes says it has %d", errBSON, len(doc), length)
	}
	rest = rest[:len(rest)-1]
	for len(rest) > 0 {
		kind, key, after, ok := bsoncore.ReadHeader(rest)
		if !ok {
			return fmt.Errorf("%w: element without a name", errBSON)
		}
		if !lengthFits(kind, after) {
			return fmt.Errorf("%w: value of %q is longer than the document", errBSON, key)
		}
		v, after, ok := bsoncore.ReadValue(after, kind)
		if !ok || v.Validate() != nil && kind != bson.TypeEmbeddedDocument && kind != bson.TypeArray {
			return fmt.Errorf("%w: value of %q, of type %#x", errBSON, key, byte(kind))
		}
		if err := fn(key, v); err != nil {
			return err
		}
		rest = after
	}
	return nil
}

// lengthFits tells whether a value that begins with its length is there: the library adds to lengths without looking whether the sum
// overflows, and panics at texts of no bytes.
func lengthFits(kind bsontype.Type, rest []byte) bool {
	switch kind {
	case bson.TypeString, bson.TypeSymbol, bson.TypeJavaScript: // with a zero at the end
		length, text, ok := bsoncore.ReadLength(rest)
		return ok && length >= 1 && int(length) <= len(text) && text[length-1] == 0
	case bson.TypeDBPointer, bson.TypeBinary, bson.TypeEmbeddedDocument, bson.TypeArray, bson.TypeCodeWithScope:
		length, _, ok := bsoncore.ReadLength(rest)
		return ok && length >= 0 && int(length) <= len(rest)
	}
	return true
}

// checkDocument says what is wrong with a document, if anything is.
func checkDocument(doc []byte, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: nested more than %d deep", errBSON, maxDepth)
	}
	return eachElement(doc, func(_ string, v bsoncore.Value) error {
		if v.Type == bson.TypeEmbeddedDocument || v.Type == bson.TypeArray {
			return checkDocument(v.Data, depth+1)
		}
		return nil
	})
}

// appendDocument writes a document as a JSON object. key gives the names in it.
func appendDocument(dst, doc []byte, key func(string) string, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested more than %d deep", errBSON, maxDepth)
	}
	dst = append(dst, '{')
	start := len(dst)
	err := eachElement(doc, func(name string, v bsoncore.Value) (err error) {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, key(name)), ':')
		dst, err = appendValue(dst, v, key, depth)
		return err
	})
	return append(dst, '}'), err
}

// appendValue writes a value as JSON. Types that JSON lacks become text, numbers that it lacks null.
func appendValue(dst []byte, v bsoncore.Value, key func(string) string, depth int) ([]byte, error) {
	switch v.Type {
	case bson.TypeEmbeddedDocument:
		return appendDocument(dst, v.Data, key, depth+1)
	case bson.TypeArray:
		return appendArray(dst, v.Data, key, depth+1)
	case bson.TypeString:
		return appendString(dst, v.StringValue()), nil
	case bson.TypeSymbol:
		return appendString(dst, v.Symbol()), nil
	case bson.TypeBoolean:
		return strconv.AppendBool(dst, v.Boolean()), nil
	case bson.TypeInt32:
		return strconv.AppendInt(dst, int64(v.Int32()), 10), nil
	case bson.TypeInt64:
		return strconv.AppendInt(dst, v.Int64(), 10), nil
	case bson.TypeDouble:
		return appendNumber(dst, v.Double()), nil
	case bson.TypeDateTime:
		return appendString(dst, dateText(v.DateTime())), nil
	case bson.TypeObjectID:
		id := v.ObjectID()
		return appendString(dst, hex.EncodeToString(id[:])), nil
	case bson.TypeBinary:
		_, data, ok := v.BinaryOK()
		if !ok {
			return dst, fmt.Errorf("%w: binary", errBSON)
		}
		return appendString(dst, base64.StdEncoding.EncodeToString(data)), nil
	case bson.TypeNull, bson.TypeUndefined, bson.TypeMinKey, bson.TypeMaxKey:
		return append(dst, "null"...), nil
	}
	return appendString(dst, base64.StdEncoding.EncodeToString(v.Data)), nil // code, regular expressions and the like
}

func appendArray(dst, array []byte, key func(string) string, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested more than %d deep", errBSON, maxDepth)
	}
	dst = append(dst, '[')
	start := len(dst)
	err := eachElement(array, func(_ string, v bsoncore.Value) (err error) {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst, err = appendValue(dst, v, key, depth)
		return err
	})
	return append(dst, ']'), err
}

// appendNumber writes a float so that it is read as one again: 2.0 stays apart from the integer 2, as Python prints them.
func appendNumber(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'g', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' || c == 'e' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

// appendString writes a text as JSON. What is no UTF-8 becomes the replacement character.
func appendString(dst []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// dateText spells a date as Python does, in which form Ceilometer's API shows it: 2013-01-02 03:04:05.678000.
func dateText(millis int64) string {
	t := time.UnixMilli(millis).UTC()
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02 15:04:05")
	}
	return t.Format("2006-01-02 15:04:05.000000")
}
