package suite

import (
	"slices"
	"strconv"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

const (
	usualBatch   = 1000
	minuteTicks  = 60 // of a batch of the seed workload, as its definition has it
	secondMillis = 1000
)

// job is one phase of one target on one set.
type job struct {
	target  Target
	set     *dataset.Set
	round   int
	phase   string // of Phases
	variant string
	writers int
	batch   int
	fsync   bool
	fresh   bool // it begins with an empty store
	scratch bool // it has a store of its own, gone after it
}

// part is the phase as the adapter calls it.
func (j job) part() string {
	switch j.phase {
	case "writers", "seconds", "fsync":
		return "ingest"
	}
	return j.phase
}

// restarts tells whether the phase stops the store on its way, which only works with servers of the suite's own.
func (j job) restarts() bool { return j.phase == "cold" || j.phase == "restart" || j.phase == "crash" }

// plan lists all jobs in the order in which they run: in each round, for each set and phase, the targets by turns.
func (s *session) plan() (jobs []job) {
	for round := 1; round <= s.o.Rounds; round++ {
		for _, set := range s.sets {
			targets := s.turns(set, round)
			for _, phase := range Phases {
				if !slices.Contains(s.o.Phases, phase.Name) || phase.Name == "verify" && round > 1 {
					continue
				}
				for _, kind := range s.kinds(set, phase.Name) {
					for _, t := range targets {
						if phase.Name == "fsync" && !t.Syncs {
							continue
						}
						j := kind
						j.target, j.set, j.round, j.phase = t, set, round, phase.Name
						jobs = append(jobs, j)
					}
				}
			}
		}
	}
	return jobs
}

// turns are the targets for a set, another one first in each round. Servers only get sets within the limit.
func (s *session) turns(set *dataset.Set, round int) (out []Target) {
	for _, t := range s.targets {
		if !s.tooLarge(t, set) {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return nil
	}
	first := (round - 1 + s.o.Seed) % len(out)
	return slices.Concat(out[first:], out[:first])
}

func (s *session) tooLarge(t Target, set *dataset.Set) bool {
	return t.Server && s.o.Limit > 0 && set.Samples > s.o.Limit
}

// kinds are the ways in which a phase is run on a set, without target and round.
func (s *session) kinds(set *dataset.Set, phase string) []job {
	usual := job{writers: 1, batch: usualBatch}
	if base, _, _ := dataset.ParseName(set.Name); base == "A" {
		usual.batch = minuteTicks * len(set.Series)
	}
	switch phase {
	case "ingest":
		usual.variant, usual.fresh = "1", true
	case "writers":
		var out []job
		for _, n := range s.o.Writers {
			if n > 1 {
				usual.variant, usual.writers, usual.fresh, usual.scratch = strconv.Itoa(n), n, true, true
				out = append(out, usual)
			}
		}
		return out
	case "seconds":
		if set.StepMillis != secondMillis {
			return nil
		}
		usual.variant, usual.batch, usual.fresh, usual.scratch = "1s", len(set.Series), true, true
	case "fsync":
		usual.variant, usual.fsync, usual.fresh, usual.scratch = "fsync", true, true, true
	case "crash":
		usual.fresh, usual.scratch = true, true
	}
	return []job{usual}
}
