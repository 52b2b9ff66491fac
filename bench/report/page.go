package report

// page is what every form of the report shows.
type page struct {
	Title    string
	Sections []section
}

// section is a headline and what is below it.
type section struct {
	ID, Title string
	Lead      string
	Tiles     []tile
	Charts    []chart
	Tables    []table
	Notes     []string
}

// tile is a figure that stands out.
type tile struct{ Figure, What, Note, Class string }

// table is rows of cells below a head. The first column names the row.
type table struct {
	Title, Note string
	Folded      bool // is shown only when asked for, where that is possible
	Head        []string
	Rows        [][]cell
}

// class says what is special about a cell.
type class string

const (
	plain   class = ""
	best    class = "best"    // of its row
	flagged class = "flagged" // the answer is not the others'
	reached class = "yes"
	missed  class = "no"
	absent  class = "dim"
)

// cell is one figure or word.
type cell struct {
	Text  string
	Class class
}

func text(s string) cell {
	if s == "" || s == "-" {
		return cell{s, absent}
	}
	return cell{s, plain}
}

func cells(texts ...string) (out []cell) {
	for _, t := range texts {
		out = append(out, text(t))
	}
	return out
}
