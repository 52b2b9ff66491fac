package lint

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// TestExportedNamesAreDocumented wants a comment on every exported function, method, type, constant and variable
// outside tests and commands; a group's comment counts for its members.
func TestExportedNamesAreDocumented(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test || f.ast.Name.Name == "main" {
			continue
		}
		for _, d := range f.ast.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s has no comment", f.fset.Position(name.Pos()), name.Name)
			}
		}
	}
}

// TestPackagesAreDocumented wants a package comment in every package; a room has it in doc.go.
func TestPackagesAreDocumented(t *testing.T) {
	type state struct{ documented, inDoc bool }
	packages := map[string]*state{}
	for _, f := range goFiles(t) {
		s := packages[f.dir()]
		if s == nil {
			s = &state{}
			packages[f.dir()] = s
		}
		if f.test {
			continue
		}
		if f.ast.Doc != nil {
			s.documented = true
			s.inDoc = s.inDoc || f.path == f.dir()+"/doc.go"
		}
	}
	for dir, s := range packages {
		switch {
		case !s.documented:
			t.Errorf("%s: no package comment", dir)
		case !s.inDoc && !strings.Contains(dir, "/"):
			t.Errorf("%s: the package comment of a room belongs into doc.go", dir)
		}
	}
}

// undocumented returns the exported names that d declares without a comment.
func undocumented(d ast.Decl) []*ast.Ident {
	var out []*ast.Ident
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) && !wellKnown(d) {
			out = append(out, d.Name)
		}
	case *ast.GenDecl:
		if d.Tok == token.IMPORT || d.Doc != nil {
			return nil
		}
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Doc == nil && s.Comment == nil && s.Name.IsExported() {
					out = append(out, s.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if s.Doc == nil && s.Comment == nil && n.IsExported() {
						out = append(out, n)
					}
				}
			}
		}
	}
	return out
}

// exportedReceiver reports whether d is a function, or a method of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			return t.IsExported()
		default:
			return true
		}
	}
}

// wellKnown reports whether d is a method whose meaning its name and the standard library fix.
func wellKnown(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return false
	}
	switch d.Name.Name {
	case "Error", "Unwrap", "String", "Len", "Less", "Swap":
		return true
	}
	return false
}
