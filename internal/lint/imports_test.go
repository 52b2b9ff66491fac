package lint

import (
	"slices"
	"strings"
	"testing"
)

// A room is a top folder of the module. rooms says what each may know.
type room struct {
	rooms []string // other rooms it may import, in tests too
	core  bool     // its non-test files import only the standard library and coreModules
	never []string // import paths, or path prefixes ending in a slash, that its non-test files must not import
}

var rooms = map[string]room{
	"encoding": {nil, true, []string{"github.com/cockroachdb/pebble/v2/", "os", "log/", "net/"}},
	"rollup":   {nil, true, []string{"github.com/cockroachdb/pebble/v2/", "os", "log/", "net/"}},
	"index":    {[]string{"encoding"}, true, []string{"os", "log/", "net/"}},
	"engine":   {[]string{"encoding", "rollup", "index"}, true, []string{"os", "os/", "net/", "flag"}}, // JSON is what contexts are made of
	"query":    {[]string{"encoding", "rollup", "index", "engine"}, false, []string{"github.com/cockroachdb/pebble/v2/", "os", "net/"}},
	"server": {[]string{"encoding", "rollup", "index", "engine", "query"}, false,
		[]string{"github.com/cockroachdb/pebble/v2/", "flag", "github.com/spf13/cobra"}},
	"importer": {[]string{"engine", "server"}, false, []string{"github.com/cockroachdb/pebble/v2/", "flag", "github.com/spf13/cobra"}},
	"cmd":      {[]string{"encoding", "rollup", "index", "engine", "query", "server", "importer"}, false, nil},
	"examples": {[]string{"rollup", "index", "engine", "query"}, false, nil},
	"bench":    {[]string{"encoding", "rollup", "index", "engine", "query", "server", "importer", "cmd"}, false, nil},
	"fuzz":     {[]string{"encoding", "rollup", "index", "engine", "query", "server", "importer", "cmd"}, false, nil},
	"internal": {nil, false, nil},
}

// coreModules is what the core rooms may depend on: whoever embeds the engine inherits it.
var coreModules = []string{
	"github.com/cockroachdb/pebble/v2",
	"github.com/RoaringBitmap/roaring/v2",
	"github.com/google/btree",
	"github.com/klauspost/compress",
	"github.com/cespare/xxhash/v2",
}

func TestImports(t *testing.T) {
	for _, f := range goFiles(t) {
		from, _, ok := strings.Cut(f.path, "/")
		if !ok {
			t.Errorf("%s: Go files live in a room, not in the top folder", f.path)
			continue
		}
		r, ok := rooms[from]
		if !ok {
			t.Errorf("%s: %s is not a room; a new one needs a line in rooms", f.path, from)
			continue
		}
		for _, imp := range f.imports() {
			if why := r.refuses(from, imp, f.test); why != "" {
				t.Errorf("%s imports %s: %s", f.path, imp, why)
			}
		}
	}
}

// refuses says why the room called from must not import imp, empty if it may.
func (r room) refuses(from, imp string, test bool) string {
	if rest, ok := strings.CutPrefix(imp, module+"/"); ok {
		to, _, _ := strings.Cut(rest, "/")
		switch {
		case to == from || to == "internal" || slices.Contains(r.rooms, to):
			return ""
		default:
			return from + " must not know " + to
		}
	}
	if test {
		return ""
	}
	for _, n := range r.never {
		if imp == strings.TrimSuffix(n, "/") || strings.HasSuffix(n, "/") && strings.HasPrefix(imp, n) {
			return "not in this room"
		}
	}
	if first, _, _ := strings.Cut(imp, "/"); r.core && strings.Contains(first, ".") && !isCoreModule(imp) {
		return "the core depends on the modules of coreModules alone"
	}
	return ""
}

func isCoreModule(imp string) bool {
	return slices.ContainsFunc(coreModules, func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") })
}

// TestRefuses keeps the arrows pointing the right way.
func TestRefuses(t *testing.T) {
	for _, tc := range []struct {
		from, imp string
		test, ok  bool
	}{
		{"server", module + "/engine", false, true},
		{"engine", module + "/server", false, false},
		{"engine", module + "/query", true, false},
		{"engine", module + "/internal/invariants", false, true},
		{"engine", module + "/rollup", false, true},
		{"encoding", module + "/rollup", false, false},
		{"query", module + "/bench", false, false},
		{"cmd", module + "/fuzz", true, false},
		{"fuzz", module + "/server/gnocchi", true, true},
		{"engine", "os", false, false},
		{"engine", "os", true, true},
		{"engine", "net/http", false, false},
		{"engine", "flag", false, false},
		{"engine", "encoding/binary", false, true},
		{"engine", "github.com/cockroachdb/pebble/v2/vfs", false, true},
		{"engine", "github.com/prometheus/client_golang/prometheus", false, false},
		{"engine", "github.com/cockroachdb/datadriven", true, true},
		{"encoding", "github.com/cockroachdb/pebble/v2", false, false},
		{"encoding", "log/slog", false, false},
		{"server", "github.com/cockroachdb/pebble/v2/vfs", false, false},
	} {
		if why := rooms[tc.from].refuses(tc.from, tc.imp, tc.test); (why == "") != tc.ok {
			t.Errorf("%s imports %s (test %v): got %q, want allowed %v", tc.from, tc.imp, tc.test, why, tc.ok)
		}
	}
}
