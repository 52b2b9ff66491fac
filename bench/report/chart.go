package report

import (
	"fmt"
	"math"
	"slices"
)

// A chart is drawn in an SVG as wide as there is room: places across are in percent, places down in pixels, so that text keeps its size on
// a phone. On the left are names; bars, lines and their figures are in a plot of their own.
type chart struct {
	ID, Title, Text string // Text says the same in words
	Wide            bool   // deserves all the room there is
	Height          int
	Grid            []gridline
	Names           []name
	Bars            []bar
	Lines           []stretchLine
	Dots            []dot
	Values          []value
}

type (
	gridline struct {
		X, Label string
		Class    string
	}
	name struct {
		Y           int
		Text, Class string
	}
	bar struct {
		X, Width, Class string
		Y, Height       int
	}
	stretchLine struct {
		X1, X2, Class string
		Y             int
	}
	dot struct {
		X, Class string
		Y, R     int
	}
	value struct {
		X, Text, More string // More is left out where there is little room
		Y             int
	}
)

const (
	rowHeight   = 22
	groupHeight = 24
	axisHeight  = 24
)

// axis maps values to percent of the plot.
type axis struct {
	low, high float64
	log       bool
}

func (a axis) at(v float64) float64 {
	low, high := a.low, a.high
	if a.log {
		low, high, v = math.Log(low), math.Log(high), math.Log(max(v, a.low))
	}
	return 100 * min(max((v-low)/(high-low), 0), 1)
}

func percent(v float64) string { return fmt.Sprintf("%.2f%%", v) }

// logAxis spans the values with a little room on both sides.
func logAxis(values []float64) axis {
	return axis{slices.Min(values) / 1.25, slices.Max(values) * 1.25, true}
}

// most lines that an axis has: more would have labels that touch each other.
const mostLines = 5

// places of an axis that are worth a line: decades, and of a short axis also 2 and 5, or every other decade of a long one.
func (a axis) places() (out []float64) {
	steps, every := []float64{1, 2, 5}, 1
	span := math.Log10(a.high / a.low)
	if span > 1.4 {
		steps = []float64{1}
	}
	if span > mostLines {
		every = 2
	}
	for decade := int(math.Floor(math.Log10(a.low))); decade <= int(math.Ceil(math.Log10(a.high))); decade++ {
		for _, step := range steps {
			if v := step * math.Pow(10, float64(decade)); v >= a.low && v <= a.high && decade%every == 0 {
				out = append(out, v)
			}
		}
	}
	return out
}

// group is bars that belong together, below a title, which may be empty.
type group struct {
	title string
	bars  []measure
}

// measure is one bar.
type measure struct {
	name, text, more, class string
	v                       float64
}

// barChart draws bars from nothing, each group on a scale of its own.
func barChart(id, title string, groups []group) chart {
	c := chart{ID: id, Title: title, Text: title + ". "}
	for _, g := range groups {
		c.heading(g.title)
		top := 0.0
		for _, b := range g.bars {
			top = max(top, b.v)
		}
		for _, b := range g.bars {
			width := axis{high: top}.at(b.v)
			if top == 0 {
				width = 0
			}
			c.Bars = append(c.Bars, bar{"0", percent(max(width, 0.4)), b.class, c.Height + 4, rowHeight - 8})
			c.row(b, percent(max(width, 0.4)))
		}
	}
	c.Height += 6
	return c
}

// ratioChart draws how many times ours a peer takes, on a logarithmic scale: to the right what takes more, to the left what takes less.
func ratioChart(id, title string, groups []group) chart {
	c := chart{ID: id, Title: title, Text: title + ". "}
	all := []float64{0.5, 2}
	for _, g := range groups {
		for _, b := range g.bars {
			all = append(all, b.v)
		}
	}
	a := logAxis(all)
	for _, g := range groups {
		c.heading(g.title)
		for _, b := range g.bars {
			one, end := a.at(1), a.at(b.v)
			from, to := min(one, end), max(one, end)
			if b.v < 1 {
				b.class += " behind"
			}
			c.Bars = append(c.Bars, bar{percent(from), percent(max(to-from, 0.4)), b.class, c.Height + 4, rowHeight - 8})
			c.row(b, percent(to))
		}
	}
	for _, v := range a.places() {
		g := gridline{percent(a.at(v)), digits(round3(v)) + "×", ""}
		if v > 0.99 && v < 1.01 {
			g.Label, g.Class = "ours", "one"
		}
		c.Grid = append(c.Grid, g)
	}
	c.Height += axisHeight
	return c
}

func (c *chart) heading(title string) {
	if title == "" {
		c.Height += 4
		return
	}
	c.Names = append(c.Names, name{c.Height + groupHeight - 7, title, "group"})
	c.Height += groupHeight
	c.Text += title + ": "
}

// row adds the name and the figure of a row, and goes on to the next.
func (c *chart) row(b measure, x string) {
	base := c.Height + rowHeight - 7
	c.Names = append(c.Names, name{base, b.name, b.class})
	c.Values = append(c.Values, value{x, b.text, b.more, base})
	c.Text += b.name + " " + b.text + b.more + "; "
	c.Height += rowHeight
}

// spread is the distribution of one question's times: of the shortest, the quarters, and the long ones, in rising order; 0: not known.
type spread struct {
	name, class                       string
	best, low, median, high, p90, p99 float64
}

// spreadChart draws times on one logarithmic scale: a line from the shortest to the longest of a hundred, a bar from quarter to quarter, a dot at the
// median.
func spreadChart(id, title string, groups []string, spreads map[string][]spread) chart {
	c := chart{ID: id, Title: title, Text: title + ". ", Wide: true}
	var all []float64
	for _, g := range groups {
		for _, s := range spreads[g] {
			all = append(all, s.best, s.last())
		}
	}
	a := logAxis(all)
	for _, g := range groups {
		c.heading(g)
		for _, s := range spreads[g] {
			middle := c.Height + rowHeight/2
			c.Lines = append(c.Lines, stretchLine{percent(a.at(s.best)), percent(a.at(s.last())), s.class, middle})
			if s.low > 0 && s.high > s.low {
				c.Bars = append(c.Bars, bar{percent(a.at(s.low)), percent(max(a.at(s.high)-a.at(s.low), 0.4)), s.class, middle - 5, 10})
			}
			if s.p90 > 0 {
				c.Dots = append(c.Dots, dot{percent(a.at(s.p90)), s.class + " tick", middle, 2})
			}
			c.Dots = append(c.Dots, dot{percent(a.at(s.median)), s.class, middle, 4})
			c.row(measure{name: s.name, class: s.class, text: Number(s.median, "us"), more: s.more()}, percent(a.at(s.last())))
		}
	}
	for _, v := range a.places() {
		c.Grid = append(c.Grid, gridline{percent(a.at(v)), Number(v, "us"), ""})
	}
	c.Height += axisHeight
	return c
}

func (s spread) last() float64 { return max(s.best, s.median, s.p90, s.p99) }

func (s spread) more() string {
	if s.p99 > 0 {
		return ", p99 " + Number(s.p99, "us")
	}
	return ""
}
