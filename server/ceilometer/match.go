package ceilometer

import (
	"regexp"
	"regexp/syntax"
)

// The longest regular expression, in bytes, and how large those of one filter may be together: in parts, each of which takes some 100
// bytes of memory. A few letters, a{1000}, are 1000 of them.
const (
	maxMatchBytes = 4 << 10
	maxMatchParts = 50_000
)

// compile makes the regular expressions of e ready. left is how many parts they may still have.
func (e *expr) compile(left *int) error {
	for _, sub := range e.subs {
		if err := sub.compile(left); err != nil {
			return err
		}
	}
	if e.op != opMatch {
		return nil
	}
	pattern := e.want[0].text
	if len(pattern) > maxMatchBytes {
		return badExpr("a regular expression is too long")
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return badExpr(err.Error())
	}
	if *left -= matchParts(parsed, maxMatchParts); *left < 0 {
		return badExpr("its regular expressions are too large")
	}
	if e.match, err = regexp.Compile(pattern); err != nil {
		return badExpr(err.Error())
	}
	return nil
}

// matchParts is about how many parts a regular expression has when its repetitions are written out; more than most is most+1.
func matchParts(re *syntax.Regexp, most int) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n = min(n+matchParts(sub, most), most+1)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, most+1)
}
