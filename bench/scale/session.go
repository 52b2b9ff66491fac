package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/telemetrydb/tsdb/bench/goals"
	"github.com/telemetrydb/tsdb/bench/results"
)

// run is the session: all phases, one after the other, then the table.
func (s *settings) run() (err error) {
	if s.resources < 1 || s.metrics%s.resources != 0 || s.metrics/s.resources > kinds {
		return fmt.Errorf("%d metrics are not 1 to %d for each of %d resources", s.metrics, kinds, s.resources)
	}
	t := table{sheet: goals.Sheet{Section: "5 scale"}}
	parts := []struct {
		name string
		run  func(*table) error
	}{{"ingest", s.ingest}, {"search", s.search}, {"weeks", s.weeks}}
	for _, part := range parts {
		if s.only != "" && s.only != part.name {
			continue
		}
		if err := part.run(&t); err != nil {
			return err
		}
	}
	text := t.markdown()
	fmt.Print(text)
	if s.results != "" {
		for _, g := range t.sheet.Goals {
			t.growth = append(t.growth, results.Record{Goal: &g})
		}
		if err := results.Append(s.results, t.growth...); err != nil {
			return err
		}
	}
	if s.out != "" {
		return os.WriteFile(s.out, []byte(text), 0o644)
	}
	return nil
}

// store makes the catalogue of a store of its own and returns a phase on it, and how to remove it.
func (s *settings) store(name string, metrics, resources int) (phase, map[string]float64, func(), error) {
	p := phase{Name: "create", Dir: filepath.Join(s.dir, name), Metrics: metrics, Resources: resources,
		MemoryMiB: s.memoryMiB, Raw: s.raw, Lazy: s.lazy, Profile: s.profile}
	remove := func() {
		if !s.keep {
			_ = os.RemoveAll(p.Dir) // what stays is refused by the next run
		}
	}
	if _, err := os.Stat(p.Dir); err == nil {
		return p, nil, remove, fmt.Errorf("%s exists already: remove it first", p.Dir)
	}
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return p, nil, remove, err
	}
	got, err := p.exec(0)
	return p, got, remove, err
}

func (p phase) named(name string) phase {
	p.Name = name
	return p
}

// exec runs the phase in a process of its own. If killAt is not 0 it is killed when it has acknowledged so many samples, and what it
// said last comes back.
func (p phase) exec(killAt int64) (map[string]float64, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	arg, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "%s %s %s\n", time.Now().Format(time.TimeOnly), p.Name, p.Dir)
	args := []string{"-phase", string(arg)}
	if p.Profile && killAt == 0 {
		args = append(args, "-cpuprofile", p.Dir+"."+p.Name+".prof")
	}
	cmd := exec.Command(self, args...)
	said, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	var out jsonLine
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	last, killed := map[string]float64{}, false
	for lines := bufio.NewScanner(said); lines.Scan(); {
		var acked, log, head int64
		if n, _ := fmt.Sscanf(lines.Text(), "acknowledged %d log %d head %d", &acked, &log, &head); n != 3 {
			fmt.Fprintln(os.Stderr, lines.Text())
			continue
		}
		last["acknowledged"], last["log bytes"], last["head bytes"] = float64(acked), float64(log), float64(head)
		if killAt > 0 && acked >= killAt && !killed {
			killed = true
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				return nil, err
			}
		}
	}
	err = cmd.Wait()
	if killAt > 0 {
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
			return last, nil
		}
		return nil, fmt.Errorf("%s ended before it was killed: %v", p.Name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	return out.numbers()
}

type jsonLine []byte

func (l *jsonLine) Write(b []byte) (int, error) {
	*l = append(*l, b...)
	return len(b), nil
}

func (l jsonLine) numbers() (m map[string]float64, err error) { return m, json.Unmarshal(l, &m) }

// ingest is everything about samples of many metrics: cost, memory, opening, reading one.
func (s *settings) ingest(t *table) error {
	big, made, remove, err := s.store("many", s.metrics, s.resources)
	defer remove()
	if err != nil {
		return err
	}
	t.created("", made, s.metrics)
	ingest := big.named("ingest")
	ingest.Cycles = s.cycles
	many, err := ingest.exec(0)
	if err != nil {
		return err
	}
	few, err := s.ingestFew()
	if err != nil {
		return err
	}
	t.ingested(s, many, few)
	open := big.named("open")
	open.Cycles = s.cycles
	if err := t.opened("open after a clean close", "< 1", 1, open, nil); err != nil {
		return err
	}
	read, err := big.named("query").exec(0)
	if err != nil {
		return err
	}
	t.row("range of one metric over all time, first", "<= 5", "ms", read["first ms"], 5, "%.0f points of 500 metrics, p99 %.2f", read["points"], read["first p99 ms"])
	t.row("range of one metric over all time, warm", "<= 5", "ms", read["warm ms"], 5, "")
	ingest.From = s.cycles
	at := s.killSamples
	if at == 0 {
		at = int64(s.cycles*s.metrics - s.metrics/2)
	}
	last, err := ingest.exec(at)
	if err != nil {
		return err
	}
	open.Cycles += int(last["acknowledged"])/s.metrics + 1
	if int(last["acknowledged"])%s.metrics*2 < s.metrics {
		open.Cycles = 0 // not all that is looked at was acknowledged
	}
	return t.opened("open after kill -9", "< 5", 5, open, last)
}

// ingestFew appends as many samples to few metrics.
func (s *settings) ingestFew() (map[string]float64, error) {
	p, _, remove, err := s.store("few", s.few, max(s.few*s.resources/s.metrics, 1))
	defer remove()
	if err != nil {
		return nil, err
	}
	p = p.named("ingest")
	p.Cycles = s.cycles * s.metrics / s.few
	return p.exec(0)
}

func (s *settings) search(t *table) error {
	one := func(name string, metrics, resources int) error {
		p, made, remove, err := s.store(name, metrics, resources)
		defer remove()
		if err != nil {
			return err
		}
		if metrics == resources {
			t.created(fmt.Sprintf(" of %s resources", grouped(resources)), made, metrics)
			if err := t.opened(fmt.Sprintf("open, %s resources", grouped(resources)), "< 1", 1, p.named("open"), nil); err != nil {
				return err
			}
		}
		got, err := p.named("search").exec(0)
		if err == nil {
			t.searched(resources, got)
		}
		return err
	}
	if err := one("searched", s.metrics, s.resources); err != nil || s.searched == 0 {
		return err
	}
	return one("searched-more", s.searched, s.searched)
}

func (s *settings) weeks(t *table) error {
	p, made, remove, err := s.store("weeks", s.weeksMetrics, max(s.weeksMetrics/kinds, 1))
	defer remove()
	if err != nil {
		return err
	}
	p = p.named("ingest")
	p.MemoryMiB, p.Compact = s.weeksMemoryMiB, true
	p.Cycles = s.weeksDays * 288
	got, err := p.exec(0)
	if err == nil {
		t.weeks(s, got, made)
	}
	return err
}
