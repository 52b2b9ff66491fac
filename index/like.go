package index

import (
	"strings"
	"unicode/utf8"
)

// likePrefix returns the text that everything matching the pattern starts with.
func likePrefix(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '%' || c == '_':
			return b.String()
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteByte(pattern[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// like reports whether s matches the pattern. It goes back to the last % only, so its cost is at most the
// product of the lengths.
func like(pattern, s string) bool {
	p, i := 0, 0
	star, from := -1, 0 // the pattern after the last %, and where in s it was last tried
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '%' {
			p++
			star, from = p, i
			continue
		}
		if np, ni, ok := likeOne(pattern, p, s, i); ok {
			p, i = np, ni
			continue
		}
		if star < 0 {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[from:])
		from += n
		p, i = star, from
	}
	for p < len(pattern) && pattern[p] == '%' {
		p++
	}
	return p == len(pattern)
}

// likeOne matches one character of s at i with the pattern's element at p, which is not %.
func likeOne(pattern string, p int, s string, i int) (np, ni int, ok bool) {
	if p == len(pattern) {
		return 0, 0, false
	}
	c := pattern[p]
	switch {
	case c == '_':
		_, n := utf8.DecodeRuneInString(s[i:])
		return p + 1, i + n, true
	case c == '\\' && p+1 < len(pattern):
		p++
		c = pattern[p]
	}
	// Byte by byte is character by character for literals.
	return p + 1, i + 1, c == s[i]
}
