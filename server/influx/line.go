package influx

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind says what the value of a field is.
type Kind uint8

// The kinds of values.
const (
	Float   Kind = iota // 12.5, -3e9
	Integer             // 42i
	Text                // "text"
	Bool                // true, F
)

// Tag is a name and a value of what a line is about.
type Tag struct{ Key, Value string }

// Field is a value that was measured.
type Field struct {
	Key    string
	Kind   Kind
	Number float64 // of Float and Integer; 1 is true, 0 false
	Text   string  // of Text
}

// Line is a parsed line:
//
//	measurement[,tag=value...] field=value[,field=value...] [timestamp]
//
// A backslash before a blank, a comma or an equals sign makes it a part of a name, any other backslash is itself. Names and tag
// values may also stand in double quotes, in which a backslash makes any character itself.
type Line struct {
	Measurement string
	Tags        []Tag   // by key; of equal keys the last
	Fields      []Field // by key; of equal keys the last; at least one
	Time        int64   // as it stands in the line, in whatever unit
	HasTime     bool
}

// What can be wrong with a line.
var (
	errEncoding = errors.New("text is not UTF-8")
	errName     = errors.New("a name is missing")
	errEquals   = errors.New("an equals sign is missing")
	errBlank    = errors.New("a blank is missing before the fields")
	errValue    = errors.New("a value is neither a number nor text nor a truth")
	errTime     = errors.New("the timestamp is no whole number of 64 bits from 0")
	errRest     = errors.New("something stands behind the line")
)

// Parse reads one line without its end; a carriage return at the end is not part of it. It reuses the memory of l.Tags and
// l.Fields. On an error the contents of l mean nothing.
func (l *Line) Parse(line []byte) error {
	if !utf8.Valid(line) {
		return errEncoding
	}
	s := scanner{s: strings.TrimSuffix(string(line), "\r")}
	*l = Line{Tags: l.Tags[:0], Fields: l.Fields[:0]}
	var err error
	if l.Measurement, err = s.name(); err != nil {
		return err
	}
	for s.skip(',') {
		tag, err := s.tag()
		if err != nil {
			return err
		}
		l.Tags = append(l.Tags, tag)
	}
	if !s.skip(' ') {
		return errBlank
	}
	for more := true; more; more = s.skip(',') {
		f, err := s.field()
		if err != nil {
			return err
		}
		l.Fields = append(l.Fields, f)
	}
	if l.Time, l.HasTime, err = s.time(); err != nil {
		return err
	}
	l.Tags = lastOfEach(l.Tags, func(t *Tag) string { return t.Key })
	l.Fields = lastOfEach(l.Fields, func(f *Field) string { return f.Key })
	return nil
}

// lastOfEach sorts by key and drops all but the last of equal keys.
func lastOfEach[T any](list []T, key func(*T) string) []T {
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(key(&a), key(&b)) })
	kept := list[:0]
	for i := range list {
		if i+1 < len(list) && key(&list[i]) == key(&list[i+1]) {
			continue
		}
		kept = append(kept, list[i])
	}
	return kept
}

// scanner walks along a line.
type scanner struct {
	s string
	i int
}

// skip passes c if it is next.
func (s *scanner) skip(c byte) bool {
	if s.i < len(s.s) && s.s[s.i] == c {
		s.i++
		return true
	}
	return false
}

// quoted reads text in double quotes. Without a closing one it is no quoted text, and nothing is passed.
func (s *scanner) quoted() (text string, ok bool) {
	if s.i == len(s.s) || s.s[s.i] != '"' {
		return "", false
	}
	for i := s.i + 1; i < len(s.s); i++ {
		switch s.s[i] {
		case '\\':
			i++
		case '"':
			text = s.s[s.i+1 : i]
			s.i = i + 1
			return unescape(text, func(byte) bool { return true }), true
		}
	}
	return "", false
}

// name reads the name of a measurement, a tag or a field, or the value of a tag.
func (s *scanner) name() (string, error) {
	if text, ok := s.quoted(); ok {
		return text, nil
	}
	from := s.i
	for s.i < len(s.s) {
		c := s.s[s.i]
		if c == ' ' || c == ',' || c == '=' {
			break
		}
		if c == '\\' && s.i+1 < len(s.s) && isDelimiter(s.s[s.i+1]) {
			s.i++
		}
		s.i++
	}
	if s.i == from {
		return "", errName
	}
	return unescape(s.s[from:s.i], isDelimiter), nil
}

func isDelimiter(c byte) bool { return c == ' ' || c == ',' || c == '=' }

// unescape drops the backslashes that stand before a character that can be escaped.
func unescape(text string, can func(byte) bool) string {
	if strings.IndexByte(text, '\\') < 0 {
		return text
	}
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && can(text[i+1]) {
			i++
		}
		b = append(b, text[i])
	}
	return string(b)
}

func (s *scanner) tag() (t Tag, err error) {
	if t.Key, err = s.name(); err != nil {
		return t, err
	}
	if !s.skip('=') {
		return t, errEquals
	}
	t.Value, err = s.name()
	return t, err
}

func (s *scanner) field() (f Field, err error) {
	if f.Key, err = s.name(); err != nil {
		return f, err
	}
	if !s.skip('=') {
		return f, errEquals
	}
	if text, ok := s.quoted(); ok {
		f.Kind, f.Text = Text, text
		return f, nil
	}
	word := s.word()
	if truth, ok := truths[word]; ok {
		f.Kind, f.Number = Bool, truth
		return f, nil
	}
	f.Kind, f.Number, err = number(word)
	return f, err
}

// word passes everything up to a blank or a comma.
func (s *scanner) word() string {
	from := s.i
	for s.i < len(s.s) && s.s[s.i] != ' ' && s.s[s.i] != ',' {
		s.i++
	}
	return s.s[from:s.i]
}

// truths are the ways to write true and false.
var truths = map[string]float64{"t": 1, "T": 1, "true": 1, "True": 1, "TRUE": 1, "f": 0, "F": 0, "false": 0, "False": 0, "FALSE": 0}

// number reads [+-]digits[.[digits]][e[+-]digits], or with an i or u behind it a whole number.
func number(word string) (Kind, float64, error) {
	digits := func(i int) int {
		for i < len(word) && '0' <= word[i] && word[i] <= '9' {
			i++
		}
		return i
	}
	sign := func(i int) int {
		if i < len(word) && (word[i] == '+' || word[i] == '-') {
			return i + 1
		}
		return i
	}
	from := sign(0)
	i := digits(from)
	if i == from {
		return 0, 0, errValue
	}
	if i == len(word)-1 && (word[i] == 'i' || word[i] == 'u') {
		v, _ := strconv.ParseFloat(word[:i], 64) // out of range is infinite
		return Integer, v, nil
	}
	if i < len(word) && word[i] == '.' {
		i = digits(i + 1)
	}
	if i < len(word) && (word[i] == 'e' || word[i] == 'E') {
		from = sign(i + 1)
		if i = digits(from); i == from {
			return 0, 0, errValue
		}
	}
	if i != len(word) {
		return 0, 0, errValue
	}
	v, _ := strconv.ParseFloat(word, 64)
	return Float, v, nil
}

// time reads what follows the fields: nothing, or a blank and a timestamp.
func (s *scanner) time() (t int64, has bool, err error) {
	if s.i == len(s.s) {
		return 0, false, nil
	}
	if !s.skip(' ') {
		return 0, false, errRest
	}
	word := strings.Trim(s.s[s.i:], " ")
	if word == "" {
		return 0, false, nil
	}
	u, err := strconv.ParseUint(word, 10, 64)
	if err != nil || u > math.MaxInt64 {
		return 0, false, errTime
	}
	return int64(u), true, nil
}
