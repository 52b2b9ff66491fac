package report

import (
	_ "embed"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(pageStyle) },
}).Parse(pageText))

// HTML writes the report as one page: charts and tables, with nothing that is loaded from elsewhere. It is light or dark as the reader's
// system is.
func (r *Report) HTML(w io.Writer) error { return pageTemplate.Execute(w, r.build()) }
