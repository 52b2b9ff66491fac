package report

import (
	"fmt"
	"io"
	"strings"

	pretty "github.com/jedib0t/go-pretty/v6/table"
)

// marks is how a form of plain text shows what is special about a cell.
type marks func(c cell) string

func terminalMarks(c cell) string {
	if c.Class == best {
		return c.Text + " *"
	}
	return printable(c.Text)
}

// markdownMarks also keeps what results say from being taken for markup.
func markdownMarks(c cell) string {
	out := escapeMarkdown(c.Text)
	if c.Class == best || c.Class == missed && c.Text == "NO" {
		return "**" + out + "**"
	}
	return out
}

var markdownEscapes = strings.NewReplacer(`\`, `\\`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "!", `\!`)

func escapeMarkdown(s string) string { return markdownEscapes.Replace(printable(s)) }

// printable leaves out what would move a terminal's cursor or break a line of a table.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0:
			return -1
		}
		return r
	}, s)
}

// pretty makes a writer of the table.
func (t *table) pretty(show marks) pretty.Writer {
	w := pretty.NewWriter()
	var head pretty.Row
	for _, h := range t.Head {
		head = append(head, show(cell{Text: h}))
	}
	w.AppendHeader(head)
	for _, r := range t.Rows {
		var row pretty.Row
		for _, c := range r {
			row = append(row, show(c))
		}
		w.AppendRow(row)
	}
	return w
}

// Terminal writes the tables for a terminal. The best of a row has a star.
func (r *Report) Terminal(w io.Writer) error {
	var b strings.Builder
	for _, s := range r.build().Sections {
		fmt.Fprintf(&b, "== %s\n", printable(s.Title))
		if s.Lead != "" {
			fmt.Fprintln(&b, printable(s.Lead))
		}
		for _, t := range s.Tables {
			if t.Title != "" {
				fmt.Fprintf(&b, "\n%s\n", printable(t.Title))
			}
			p := t.pretty(terminalMarks)
			p.SetStyle(pretty.StyleLight)
			p.Style().Format.Header = 0 // as it is
			fmt.Fprintln(&b, p.Render())
		}
		for _, n := range s.Notes {
			fmt.Fprintf(&b, "* %s\n", printable(n))
		}
		fmt.Fprintln(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown writes the report as Markdown. The best of a row is bold.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	p := r.build()
	fmt.Fprintf(&b, "# %s\n", escapeMarkdown(p.Title))
	for _, s := range p.Sections {
		fmt.Fprintf(&b, "\n## %s\n\n", escapeMarkdown(s.Title))
		if s.Lead != "" {
			fmt.Fprintf(&b, "%s\n\n", escapeMarkdown(s.Lead))
		}
		for _, t := range s.Tables {
			if t.Title != "" {
				fmt.Fprintf(&b, "### %s\n\n", escapeMarkdown(t.Title))
			}
			fmt.Fprintf(&b, "%s\n\n", t.pretty(markdownMarks).RenderMarkdown())
			if t.Note != "" {
				fmt.Fprintf(&b, "%s\n\n", escapeMarkdown(t.Note))
			}
		}
		for _, n := range s.Notes {
			fmt.Fprintf(&b, "* %s\n", escapeMarkdown(n))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
