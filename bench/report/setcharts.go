package report

import (
	"slices"
	"strings"
)

// charts are those of a set and of the targets that are compared with each other.
func (r *Report) charts(set, title string, targets []string) (out []chart) {
	id := func(s string) string { return "c-" + identifier(set) + "-" + identifier(title) + "-" + s }
	targets = slices.DeleteFunc(slices.Clone(targets), func(t string) bool { return t == nothing || r.lines.standIn(t) })
	add := func(c chart, rows int) {
		if rows > 0 {
			c.Title = strings.ToUpper(title[:1]) + title[1:] + ": " + c.Title
			out = append(out, c)
		}
	}
	reference := r.reference(set, targets)
	groups := r.ratios(set, reference, targets)
	add(ratioChart(id("ratios"), "times of questions as a multiple of those of "+r.lines.name(reference)+", logarithmic", groups), len(groups))
	names, spreads := r.spreads(set, targets)
	if len(names) > 0 {
		add(spreadChart(id("spread"), "times of questions, logarithmic: line from shortest to p99, bar the middle half, dots median and p90", names, spreads), 1)
	}
	for _, one := range []struct {
		id, title string
		figures   []figure
	}{
		{"rate", "samples a second, more is better", r.variants(set, "samples_per_s")},
		{"cpu", "CPU seconds a million samples, sealed and compacted", []figure{totalCPU}},
		{"bytes", "bytes a sample at rest", []figure{atRest}},
		{"memory", "peak memory while ingesting", []figure{ingestMemory}},
	} {
		groups := r.bars(set, targets, one.figures)
		add(barChart(id(one.id), one.title, groups), len(groups))
	}
	return out
}

// identifier keeps of a text what may be part of an element's name.
func identifier(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, s)
}

// reference is the target of ours that the others are compared with: the one with the most questions. Empty: there is none.
func (r *Report) reference(set string, targets []string) (out string) {
	most := 0
	for _, t := range targets {
		n := 0
		for _, q := range r.lines.asked(set) {
			if _, ok := r.median(t, set, q); ok && isOurs(t) {
				n++
			}
		}
		if n > most {
			out, most = t, n
		}
	}
	return out
}

// median is the time of a question when all is warm.
func (r *Report) median(target, set, question string) (float64, bool) {
	v, ok := r.lines.value(target, set, figure{"query", "", question + "_median_us"})
	return v, ok && v > 0
}

// ratios are of the medians, a group for each question. Answers that differ are left out.
func (r *Report) ratios(set, reference string, targets []string) (out []group) {
	for _, q := range r.lines.asked(set) {
		mine, ok := r.median(reference, set, q)
		if !ok || r.differs(reference, set, q) {
			continue
		}
		g := group{title: questionTitle(q)}
		for _, t := range targets {
			v, ok := r.median(t, set, q)
			if t == reference || !ok || r.differs(t, set, q) {
				continue
			}
			g.bars = append(g.bars, measure{name: r.lines.name(t), text: digits(round3(v/mine)) + "×", class: r.tint(t), v: v / mine})
		}
		if len(g.bars) > 0 {
			out = append(out, g)
		}
	}
	return out
}

func (r *Report) tint(target string) string {
	if isOurs(target) {
		return "ours"
	}
	return "peer"
}

// variants are the figures of every way of ingest.
func (r *Report) variants(set, number string) (out []figure) {
	for _, l := range r.lines {
		f := figure{"ingest", l.variant, number}
		if _, has := l.numbers[number]; has && l.set == set && l.phase == f.phase && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b figure) int { return compareRows(rowOf(a), rowOf(b)) })
	return out
}

// bars are a group for each figure.
func (r *Report) bars(set string, targets []string, figures []figure) (out []group) {
	for _, f := range figures {
		row := rowOf(f)
		g := group{}
		if len(figures) > 1 {
			g.title = strings.TrimPrefix(variantTitle(f.phase, f.variant), ", ")
		}
		for _, t := range targets {
			v, ok := r.lines.value(t, set, f)
			if !ok {
				continue
			}
			b := measure{name: r.lines.name(t), text: strings.Replace(Number(v, row.unit), " samples/s", "/s", 1), class: r.tint(t), v: v}
			if r.unfit(t, set, row) {
				b.more = ", inexact"
			}
			g.bars = append(g.bars, b)
		}
		if len(g.bars) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// spreads are the distributions of every question's times, by the question's title.
func (r *Report) spreads(set string, targets []string) (titles []string, out map[string][]spread) {
	out = map[string][]spread{}
	for _, q := range r.lines.asked(set) {
		title := questionTitle(q)
		for _, t := range targets {
			s, ok := r.spread(t, set, q)
			if !ok || r.differs(t, set, q) {
				continue
			}
			out[title] = append(out[title], s)
		}
		if len(out[title]) > 0 && !slices.Contains(titles, title) {
			titles = append(titles, title)
		}
	}
	return titles, out
}

// spread takes the times of all rounds together where they were kept, or else the figures of the best round.
func (r *Report) spread(target, set, q string) (s spread, ok bool) {
	s = spread{name: r.lines.name(target), class: r.tint(target)}
	var took []float64
	for _, l := range r.lines {
		if l.target == target && l.set == set && l.phase == "query" {
			took = append(took, l.latencies[q]...)
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		at := func(part float64) float64 { return took[int(part*float64(len(took)-1))] }
		s.best, s.low, s.median, s.high, s.p90, s.p99 = took[0], at(0.25), at(0.5), at(0.75), at(0.9), at(0.99)
		return s, s.best > 0
	}
	for _, one := range []struct {
		into   *float64
		suffix string
	}{{&s.best, "_best_us"}, {&s.median, "_median_us"}, {&s.p90, "_p90_us"}, {&s.p99, "_p99_us"}} {
		*one.into, _ = r.lines.value(target, set, figure{"query", "", q + one.suffix})
	}
	return s, s.best > 0 && s.median > 0
}
