package engine

import "unicode/utf8"

// MatchPattern reports whether name matches the shell pattern as rules of archive policies match names of metrics: * ? [seq] [!seq],
// upper and lower case apart.
func MatchPattern(pattern, name string) bool { return matchPattern(pattern, name) }

// matchPattern reports whether name matches the shell pattern, as Python's fnmatchcase does: * is any run of
// characters, ? any one, [seq] one of seq, [!seq] one not in it; a range a-z is within [], a [ without its ] is itself.
// It goes back to the last * only, so its cost is at most the product of the lengths.
func matchPattern(pattern, name string) bool {
	p, i := 0, 0
	star, from := -1, 0 // the pattern after the last *, and where in name it was last tried
	for i < len(name) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			star, from = p, i
			continue
		}
		if p < len(pattern) {
			c, n := utf8.DecodeRuneInString(name[i:])
			if w, ok := matchOne(pattern[p:], c); ok {
				p, i = p+w, i+n
				continue
			}
		}
		if star < 0 {
			return false
		}
		_, n := utf8.DecodeRuneInString(name[from:])
		from += n
		p, i = star, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne matches c with the pattern's first element, which is not *, and returns the element's width.
func matchOne(pattern string, c rune) (width int, ok bool) {
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		if end := setEnd(pattern); end > 0 {
			return end + 1, matchSet(pattern[1:end], c)
		}
	}
	r, n := utf8.DecodeRuneInString(pattern)
	return n, r == c
}

// setEnd returns where the ] of the set at the pattern's start is, 0 if there is none. A ] that comes first
// belongs to the set.
func setEnd(pattern string) int {
	j := 1
	if j < len(pattern) && pattern[j] == '!' {
		j++
	}
	if j < len(pattern) && pattern[j] == ']' {
		j++
	}
	for j < len(pattern) && pattern[j] != ']' {
		j++
	}
	if j >= len(pattern) {
		return 0
	}
	return j
}

// matchSet tells whether c is in the set. A hyphen first or last is itself; a range from high to low is empty.
func matchSet(set string, c rune) bool {
	negated := set[0] == '!'
	if negated {
		set = set[1:]
	}
	in := false
	for len(set) > 0 && !in {
		lo, n := utf8.DecodeRuneInString(set)
		set = set[n:]
		hi := lo
		if len(set) > 1 && set[0] == '-' {
			hi, n = utf8.DecodeRuneInString(set[1:])
			set = set[1+n:]
		}
		in = lo <= c && c <= hi
	}
	return in != negated
}
