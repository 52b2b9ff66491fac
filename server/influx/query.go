package influx

import "strings"

// Database gives the name in a query that creates a database:
//
//	create database NAME[;]
//
// in any case, with NAME a word or in double quotes. Anything else is not understood. What follows the name is not looked at,
// because clients add clauses about retention.
func Database(query string) (name string, ok bool) {
	rest, ok := keyword(blankLess(query), "create")
	if !ok {
		return "", false
	}
	if rest, ok = keyword(blankLess(rest), "database"); !ok {
		return "", false
	}
	after := blankLess(rest)
	if len(after) == len(rest) {
		return "", false
	}
	s := scanner{s: after}
	if text, ok := s.quoted(); ok {
		return text, !strings.ContainsAny(text, "\r\n")
	}
	n := 0
	for n < len(after) && isWord(after[n], n > 0) {
		n++
	}
	return after[:n], n > 0
}

func blankLess(s string) string { return strings.TrimLeft(s, " \t\r\n") }

// keyword takes a word, whatever its case, off the front.
func keyword(s, word string) (rest string, ok bool) {
	if len(s) < len(word) || !strings.EqualFold(s[:len(word)], word) {
		return s, false
	}
	return s[len(word):], true
}

func isWord(c byte, digits bool) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || digits && '0' <= c && c <= '9'
}
