package lint

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxLines is where a file should have become two. The median is a third of it.
const maxLines = 700

func TestFilesAreShort(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.lines > maxLines {
			t.Errorf("%s: %d lines, want at most %d", f.path, f.lines, maxLines)
		}
	}
}

// The words are written in pieces, so that this file does not contain them.
var (
	unfinished = []string{"TO" + "DO", "FIX" + "ME", "t.Sk" + "ip(", "b.Sk" + "ip(", "f.Sk" + "ip(", "not impl" + "emented"}
	machine    = []string{"/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "../sha" + "red", "proxy.gol" + "ang.org", "sum.gol" + "ang.org", "pypi" + ".org"}
)

// TestNothingIsUnfinished: what is not done is not there, and no test is switched off.
func TestNothingIsUnfinished(t *testing.T) {
	eachText(t, func(name string, text []byte) {
		if strings.HasSuffix(name, ".go") {
			refuse(t, name, text, unfinished)
		}
	})
}

// TestNoMachinePaths: the project does not depend on where it was written.
func TestNoMachinePaths(t *testing.T) {
	eachText(t, func(name string, text []byte) { refuse(t, name, text, machine) })
}

func refuse(t *testing.T, name string, text []byte, words []string) {
	t.Helper()
	for n, line := range bytes.Split(text, []byte("\n")) {
		for _, w := range words {
			if bytes.Contains(line, []byte(w)) {
				t.Errorf("%s:%d: contains %q", name, n+1, w)
			}
		}
	}
}

// eachText calls fn with every file whose content is text.
func eachText(t *testing.T, fn func(name string, text []byte)) {
	t.Helper()
	eachFile(t, func(name string) {
		b := read(t, name)
		if utf8.Valid(b) && !bytes.ContainsRune(b, 0) {
			fn(name, b)
		}
	})
}
