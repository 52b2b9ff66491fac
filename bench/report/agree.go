package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// tolerance is how far sums may differ: targets add in different orders, and one keeps twelve digits.
const tolerance = 1e-7

// nothing stores nothing, and shows what the program itself costs.
const nothing = "null"

// answer is the sum that a target gave for a question. Those of one phase and round are of the same series and hours.
type answer struct {
	target, phase string
	round         int
	sum           float64
	text          string
}

func (a answer) comparable(b answer) bool { return a.phase == b.phase && a.round == b.round }

// answers are those of a set to a question, of every target and round. Means that are stored answer as those that are reckoned.
func (ls lines) answers(set, question string) (out []answer) {
	for _, l := range ls {
		if l.set != set || l.target == nothing {
			continue
		}
		for name, text := range l.texts {
			q, isSum := strings.CutSuffix(name, "_sum")
			sum, err := strconv.ParseFloat(text, 64)
			if isSum && err == nil && strings.TrimSuffix(q, "stored") == strings.TrimSuffix(question, "stored") {
				out = append(out, answer{l.target, l.phase, l.round, sum, text})
			}
		}
	}
	return out
}

func near(a, b float64) bool {
	return a == b || math.Abs(a-b) <= tolerance*math.Max(math.Abs(a), math.Abs(b))
}

// votes counts the targets that gave the same answer.
func votes(all []answer, same answer) int {
	var names []string
	for _, a := range all {
		if a.comparable(same) && near(a.sum, same.sum) && !slices.Contains(names, a.target) {
			names = append(names, a.target)
		}
	}
	return len(names)
}

// differs tells whether a target answered a question otherwise than most targets did, or otherwise than the set says. Where as many targets
// say one thing as another, all of them differ.
func (r *Report) differs(target, set, question string) bool {
	if question == "" {
		return false
	}
	for _, l := range r.lines {
		if l.target == target && l.set == set && slices.Contains(l.wrong, question) {
			return true
		}
	}
	all := r.lines.answers(set, question)
	for _, mine := range all {
		if mine.target != target {
			continue
		}
		for _, other := range all {
			if mine.comparable(other) && !near(mine.sum, other.sum) && votes(all, mine) <= votes(all, other) {
				return true
			}
		}
	}
	return false
}

// disagreements says who answered otherwise than the others.
func (r *Report) disagreements() (out []string) {
	for _, set := range r.lines.sets() {
		for _, q := range r.lines.asked(set) {
			for _, target := range r.lines.targets(set) {
				if !r.differs(target, set, q) {
					continue
				}
				out = append(out, fmt.Sprintf("%s, %s (%s): %s answers otherwise than the others or the set itself%s; its times are no wins.", set, q,
					questionTitle(q), r.lines.name(target), r.lines.sums(target, set, q)))
			}
		}
	}
	return out
}

// sums writes what a target and another answered, if that is known.
func (ls lines) sums(target, set, question string) string {
	all := ls.answers(set, question)
	for _, mine := range all {
		for _, other := range all {
			if mine.target == target && other.target != target && mine.comparable(other) && !near(mine.sum, other.sum) {
				return fmt.Sprintf(" (sum %s, %s has %s)", mine.text, ls.name(other.target), other.text)
			}
		}
	}
	return ""
}

// asked lists the questions of a set in the order of rows.
func (ls lines) asked(set string) (out []string) {
	for _, l := range ls {
		if l.set != set {
			continue
		}
		for name := range l.numbers {
			if q, _, ok := questionOf(name); ok && !slices.Contains(out, q) {
				out = append(out, q)
			}
		}
	}
	slices.Sort(out)
	return out
}

// inexact tells whether a target did not give back every bit of a set.
func (ls lines) inexact(target, set string) bool {
	v, ok := ls.value(target, set, inexact)
	return ok && v > 0
}
