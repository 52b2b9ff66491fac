package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/telemetrydb/tsdb"

// root is the checkout, seen from this package's folder.
const root = "../.."

// goFile is one parsed Go file of the main module or a nested one.
type goFile struct {
	path  string // from the checkout, with slashes
	test  bool   // a _test.go file
	lines int
	fset  *token.FileSet
	ast   *ast.File
}

// dir is the folder the file lies in, "." for the checkout itself.
func (f *goFile) dir() string { return path.Dir(f.path) }

// imports lists the import paths of the file.
func (f *goFile) imports() []string {
	var out []string
	for _, i := range f.ast.Imports {
		out = append(out, strings.Trim(i.Path.Value, `"`))
	}
	return out
}

// eachFile calls fn with every file of the checkout but what git ignores and binary or stored data.
func eachFile(t *testing.T, fn func(name string)) {
	t.Helper()
	skip := map[string]bool{".git": true, ".cache": true, "bin": true, "data": true, "bench/.work": true}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		switch {
		case d.IsDir() && (skip[name] || d.Name() == "__pycache__"):
			return fs.SkipDir
		case d.Type().IsRegular() && !skip[name]: // .git is a file in a linked work tree
			fn(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// read returns the file's content.
func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goFiles parses every Go file outside testdata.
func goFiles(t *testing.T) []*goFile {
	t.Helper()
	var files []*goFile
	eachFile(t, func(name string) {
		if !strings.HasSuffix(name, ".go") || strings.Contains("/"+name, "/testdata/") {
			return
		}
		src := read(t, name)
		fset := token.NewFileSet()
		a, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, &goFile{name, strings.HasSuffix(name, "_test.go"), strings.Count(string(src), "\n"), fset, a})
	})
	if len(files) == 0 {
		t.Fatal("no Go files found")
	}
	return files
}
