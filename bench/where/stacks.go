package where

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// Part is one kind of work within an activity.
type Part struct {
	Name      string
	functions *regexp.Regexp // of full names
}

func part(name, functions string) Part { return Part{name, regexp.MustCompile(functions)} }

// stack is the time that was found in one chain of calls, innermost first.
type stack struct {
	took  time.Duration
	calls []string
}

// stacks reads a profile of binary with the Go distribution's pprof.
func stacks(binary, profile string) ([]stack, error) {
	var errs bytes.Buffer
	cmd := exec.Command("go", "tool", "pprof", "-traces", binary, profile)
	cmd.Stderr = &errs
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go tool pprof: %w: %s", err, errs.Bytes())
	}
	return parse(text)
}

// parse reads what `pprof -traces` prints: blocks between lines of dashes, whose first line, after those of
// labels, begins with a duration.
func parse(text []byte) (all []stack, err error) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	begun, first := false, false
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "-----------+") {
			begun, first = true, true
			continue
		}
		f := strings.Fields(strings.TrimSuffix(line, " (inline)"))
		if !begun || len(f) == 0 || first && strings.HasSuffix(f[0], ":") { // a label
			continue
		}
		if first {
			took, err := time.ParseDuration(f[0])
			if err != nil {
				return nil, fmt.Errorf("a stack begins with %q", line)
			}
			all = append(all, stack{took: took})
			first, f = false, f[1:]
		}
		s := &all[len(all)-1]
		s.calls = append(s.calls, strings.Join(f, " "))
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no stacks in %d bytes", len(text))
	}
	return all, lines.Err()
}

// Share is a part's share of all time.
type Share struct {
	Name string
	Part float64 // of 1
}

const rest = "the rest"

// split gives each stack to the part of its innermost known function. Stacks below a function that ignored matches are not counted.
func split(all []stack, parts []Part, ignored *regexp.Regexp) (shares []Share, total time.Duration) {
	took := make([]time.Duration, len(parts)+1)
	for _, s := range all {
		if ignored != nil && s.has(ignored) {
			continue
		}
		took[s.part(parts)] += s.took
		total += s.took
	}
	for i, p := range append(parts[:len(parts):len(parts)], Part{Name: rest}) {
		shares = append(shares, Share{p.Name, float64(took[i]) / float64(max(total, 1))})
	}
	return shares, total
}

func (s *stack) has(functions *regexp.Regexp) bool {
	for _, call := range s.calls {
		if functions.MatchString(call) {
			return true
		}
	}
	return false
}

func (s *stack) part(parts []Part) int {
	for _, call := range s.calls {
		for i, p := range parts {
			if p.functions.MatchString(call) {
				return i
			}
		}
	}
	return len(parts)
}
