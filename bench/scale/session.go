package scale

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// Metrics that have a sample every 300 s, and what the goals about a month are about.
const (
	pollSeconds   = 300
	monthSeconds  = 60 // of a cycle
	monthMetrics  = 100_000
	monthMiB      = 1024 // of memory for all of those
	leastMonthMiB = 8    // that the engine takes
)

// session runs the phases of a run, one after the other.
type session struct {
	Options
	ctx    context.Context
	report *Report
}

// Run measures the parts, one after the other. Interrupted, or after a failure, it removes its stores as well; what was measured before comes back
// beside the error.
func Run(ctx context.Context, o Options) (*Report, error) {
	s := session{o, ctx, newReport()}
	if err := o.check(); err != nil {
		return s.report, err
	}
	for _, part := range []struct {
		name string
		run  func() error
	}{{"held", s.held}, {"registered", s.registered}, {"weeks", s.weeks}, {"month", s.month}} {
		if o.wants(part.name) {
			s.report.sheet.Partial = o.less(part.name)
			if err := part.run(); err != nil {
				return s.report, err
			}
		}
	}
	return s.report, nil
}

// with makes the catalogue of a store, unless an earlier run has prepared it, and calls use with what that cost, unless it is to be prepared only.
func (s *session) with(name string, p phase, use func(p phase, made figures) error) (err error) {
	p.Name, p.Dir = "create", filepath.Join(s.Dir, name)
	made, err := p.prepared()
	if err != nil {
		return err
	}
	keep := s.Keep
	defer func() {
		if !keep {
			err = errors.Join(err, os.RemoveAll(p.Dir))
		}
	}()
	if made == nil {
		if err := os.MkdirAll(p.Dir, 0o755); err != nil {
			return err
		}
		if made, err = s.run(p, "create"); err != nil {
			return err
		}
	}
	if s.Prepare {
		keep = true
		return p.note(made)
	}
	return use(p, made)
}

// run runs a phase of that name on the store.
func (s *session) run(p phase, name string) (figures, error) {
	p.Name = name
	return p.exec(s.ctx, s.Profile)
}

// held is everything about samples of many metrics: cost, memory, opening, reading one.
func (s *session) held() error {
	big := phase{Metrics: s.Metrics, Active: s.Metrics, Cycles: s.Cycles, WidthSeconds: pollSeconds, MemoryMiB: s.MemoryMiB}
	few := big
	few.Metrics, few.Active, few.Cycles = s.Few, s.Few, s.Cycles*s.Metrics/s.Few
	return s.with("held", big, func(p phase, made figures) error {
		s.report.created(s.Metrics, made)
		many, err := s.run(p, "ingest")
		if err != nil {
			return err
		}
		err = s.with("few", few, func(p phase, _ figures) error {
			few, err := s.run(p, "ingest")
			if err == nil {
				s.report.cost(&s.Options, many, few)
			}
			return err
		})
		if err != nil {
			return err
		}
		return s.opened(p, true)
	})
}

// opened opens a store that was closed well, and then, if asked to, one that was killed while it appended further cycles.
func (s *session) opened(p phase, kill bool) error {
	var clean []figures
	for range 3 {
		got, err := s.run(p, "open")
		if err != nil {
			return err
		}
		clean = append(clean, got)
	}
	s.report.openedClean(p.Metrics, kill, clean)
	if !kill {
		return nil
	}
	read, err := s.run(p, "query")
	if err != nil {
		return err
	}
	s.report.held(read)
	p.Name, p.From = "ingest", p.Cycles
	last, err := p.execKilled(s.ctx, int64(p.Cycles*p.Active-p.Active/2))
	if err != nil {
		return err
	}
	acked := int(last["acknowledged"])
	if p.Cycles += acked/p.Active + 1; acked%p.Active*2 < p.Active {
		p.Cycles = 0 // not all that is looked at was acknowledged
	}
	got, err := s.run(p, "open")
	if err == nil {
		s.report.openedKilled(p.Metrics, got, last)
	}
	return err
}

// registered is a store of metrics of which few get samples.
func (s *session) registered() error {
	p := phase{Metrics: s.Registered, Active: s.Metrics, Cycles: s.Cycles, WidthSeconds: pollSeconds, MemoryMiB: s.MemoryMiB}
	return s.with("registered", p, func(p phase, made figures) error {
		s.report.created(s.Registered, made)
		found, err := s.run(p, "search")
		if err != nil {
			return err
		}
		s.report.searched(s.Registered/kinds, found)
		got, err := s.run(p, "ingest")
		if err != nil {
			return err
		}
		s.report.memory(&s.Options, got)
		return s.opened(p, false)
	})
}

func (s *session) weeks() error {
	p := phase{Metrics: s.WeeksMetrics, Active: s.WeeksMetrics, WidthSeconds: pollSeconds, MemoryMiB: s.WeeksMemoryMiB, Compact: true,
		Cycles: s.WeeksDays * daySeconds / pollSeconds}
	return s.with("weeks", p, func(p phase, made figures) error {
		got, err := s.run(p, "ingest")
		if err == nil {
			s.report.weeks(&s.Options, got, made)
		}
		return err
	})
}

// month measures a part of the metrics with as much memory for each.
func (s *session) month() error {
	p := phase{Metrics: s.MonthMetrics, Active: s.MonthMetrics, WidthSeconds: monthSeconds, Compact: true,
		MemoryMiB: max(leastMonthMiB, monthMiB*int64(s.MonthMetrics)/monthMetrics), Cycles: s.MonthDays * daySeconds / monthSeconds}
	if err := s.monthOf("month", p, "the model's values"); err != nil || s.Trace == "" {
		return err
	}
	set, err := dataset.Open(s.Trace)
	if err != nil {
		return err
	}
	p.Trace = s.Trace
	return s.monthOf("month-of-trace", p, "values of the trace "+set.Name)
}

func (s *session) monthOf(name string, p phase, values string) error {
	return s.with(name, p, func(p phase, _ figures) error {
		got, err := s.run(p, "ingest")
		if err != nil {
			return err
		}
		read, err := s.run(p, "query")
		if err == nil {
			s.report.month(p, values, got, read)
		}
		return err
	})
}
