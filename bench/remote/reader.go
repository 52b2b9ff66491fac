package remote

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unsafe"
)

// Reader reads the numbers of a long JSON text in order, without a tree of it. The first thing that is not as asked for makes an error, and all
// calls after it do nothing.
type Reader struct {
	text []byte
	at   int
	err  error
}

var errEnds = errors.New("the answer ends early")

// NewReader reads text, which must not change meanwhile.
func NewReader(text []byte) *Reader { return &Reader{text: text} }

// Err is the first error.
func (r *Reader) Err() error { return r.err }

// Skip goes behind the next occurrence of a text. Without one it stays and returns false, which is no error.
func (r *Reader) Skip(to string) bool {
	if r.err != nil {
		return false
	}
	i := bytes.Index(r.text[r.at:], unsafe.Slice(unsafe.StringData(to), len(to)))
	if i < 0 {
		return false
	}
	r.at += i + len(to)
	return true
}

// blanks goes behind white space.
func (r *Reader) blanks() {
	for r.at < len(r.text) && (r.text[r.at] == ' ' || r.text[r.at] == '\n' || r.text[r.at] == '\t' || r.text[r.at] == '\r') {
		r.at++
	}
}

// Is goes behind c if that comes next, white space aside, and tells whether.
func (r *Reader) Is(c byte) bool {
	r.blanks()
	if r.err != nil || r.at >= len(r.text) || r.text[r.at] != c {
		return false
	}
	r.at++
	return true
}

// Want is Is for what must come.
func (r *Reader) Want(c byte) {
	if r.Is(c) || r.err != nil {
		return
	}
	if r.at >= len(r.text) {
		r.err = errEnds
		return
	}
	r.err = fmt.Errorf("%q at %.30q in the answer", c, r.text[r.at:])
}

// Token is what comes next until a comma, a closing bracket, a quote, or white space. It is part of the text.
func (r *Reader) Token() []byte {
	r.blanks()
	start := r.at
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ',', ']', '}', '"', ' ', '\n', '\r', '\t':
			return r.text[start:r.at]
		}
		r.at++
	}
	return r.text[start:r.at]
}

// Text is the next string, without its quotes. One with a backslash is an error.
func (r *Reader) Text() []byte {
	r.Want('"')
	if r.err != nil {
		return nil
	}
	n := bytes.IndexByte(r.text[r.at:], '"')
	if n < 0 {
		r.err = errEnds
		return nil
	}
	s := r.text[r.at : r.at+n]
	if bytes.IndexByte(s, '\\') >= 0 {
		r.err = fmt.Errorf("%q has an escape", s)
	}
	r.at += n + 1
	return s
}

// Number is the next number, as such or as a string.
func (r *Reader) Number() float64 {
	quoted := r.Is('"')
	token := r.Token()
	if r.err != nil {
		return 0
	}
	v, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(token), len(token)), 64)
	if err != nil {
		r.err = fmt.Errorf("%.30q is no number", bytes.Clone(token))
	}
	if quoted {
		r.Want('"')
	}
	return v
}

// Whole is the next number, which must be an integer.
func (r *Reader) Whole() int64 {
	token := r.Token()
	if r.err != nil {
		return 0
	}
	v, err := strconv.ParseInt(unsafe.String(unsafe.SliceData(token), len(token)), 10, 64)
	if err != nil {
		r.err = fmt.Errorf("%.30q is no integer", bytes.Clone(token))
	}
	return v
}
