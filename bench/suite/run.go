package suite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/dataset/realdata"
	"github.com/telemetrydb/tsdb/bench/results"
	"github.com/telemetrydb/tsdb/bench/target"
)

// session is one run.
type session struct {
	o       Options
	targets []Target // those that could be built
	sets    []*dataset.Set
	answers map[string]map[string]float64 // by set and question
	broken  map[string]bool               // target and set without a store to ask, or a target that cannot start: its jobs are passed over
	worked  map[string]bool               // targets that gave a result
	told    map[results.Missing]bool
	used    map[string]time.Duration // by target, set and round
	begun   time.Time
	show    *progress
	touched bool // a server that others run was written to
}

// Run makes a whole run. Its error is about the run itself, or that ctx was over, or that one of this project's own targets failed; what peers
// failed at is in the file of results.
func Run(ctx context.Context, o Options) (err error) {
	if o, err = o.prepared(); err != nil {
		return err
	}
	if err := adoptOrphans(); err != nil {
		return err
	}
	s := &session{o: o, answers: map[string]map[string]float64{}, broken: map[string]bool{}, worked: map[string]bool{}, told: map[results.Missing]bool{},
		used: map[string]time.Duration{}, begun: time.Now()}
	s.show = newProgress(o.Progress)
	for _, dir := range []string{"bin", "log", "tmp"} {
		if err := os.MkdirAll(filepath.Join(o.Work, dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(s.stores()); err != nil { // of a run that was killed
		return err
	}
	defer func() { err = errors.Join(err, s.clean()) }()
	run := results.Run{Started: time.Now().UTC().Truncate(time.Second), Command: o.Command, Machine: machine(o.Source, o.Work)}
	if err := s.keep(results.Record{Run: &run}); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	return s.all(ctx)
}

func (s *session) stores() string { return filepath.Join(s.o.Work, "stores") }

// clean takes away everything but binaries, sets, logs and results.
func (s *session) clean() error {
	return errors.Join(sweep(), os.RemoveAll(s.stores()), os.RemoveAll(filepath.Join(s.o.Work, "tmp")))
}

func (s *session) keep(r results.Record) error { return results.Append(s.o.Out, r) }

// miss notes, once, what was not measured.
func (s *session) miss(m results.Missing) error {
	if s.told[m] {
		return nil
	}
	s.told[m] = true
	s.show.note("%s", notRun(m))
	return s.keep(results.Record{Missing: &m})
}

func notRun(m results.Missing) string {
	where := strings.Join(slices.DeleteFunc([]string{m.Target, m.Set, m.Phase}, func(s string) bool { return s == "" }), " ")
	return fmt.Sprintf("%s: not run: %s", where, m.Why)
}

// prepare builds the adapters and makes the sets.
func (s *session) prepare(ctx context.Context) error {
	for _, t := range s.o.targets {
		if !slices.Contains(s.o.Targets, t.Name) {
			continue
		}
		s.show.note("building %s", t.Name)
		err := s.build(ctx, t)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if err := s.miss(results.Missing{Target: t.Name, Why: err.Error()}); err != nil {
				return err
			}
			continue
		}
		s.targets = append(s.targets, t)
	}
	for _, name := range s.o.Sets {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.show.note("preparing %s", name)
		set, err := s.open(name)
		if err == nil {
			s.answers[name], err = target.Answers(set, s.o.Seed)
		}
		if err != nil {
			if err := s.miss(results.Missing{Target: "all targets", Set: name, Why: err.Error()}); err != nil {
				return err
			}
			continue
		}
		s.sets = append(s.sets, set)
	}
	return s.limits()
}

// open opens a set, which is made first if it is not there.
func (s *session) open(name string) (*dataset.Set, error) {
	dir := filepath.Join(s.o.Work, dataset.DirName(name))
	base, ticks, err := dataset.ParseName(name)
	if err != nil {
		return nil, err
	}
	if dataset.IsGenerated(base) || !s.outdated(dir) {
		if set, err := dataset.Prepared(dir, name); !errors.Is(err, os.ErrNotExist) {
			return set, err
		}
	}
	if ticks > 0 { // the beginning of a set that is not generated
		whole, err := s.open(base)
		if err != nil {
			return nil, err
		}
		if err := dataset.Cut(whole, dir, name, ticks); err != nil {
			return nil, err
		}
		return dataset.Open(dir)
	}
	switch {
	case s.o.CSVPath != "":
		err = dataset.FromCSV(dir, name, s.o.CSVPath)
	case s.o.PTSPath != "" && s.o.SeriesPath != "":
		err = realdata.Prepare(dir, name, realStepMillis, s.o.SeriesPath, s.o.PTSPath)
	default:
		err = errors.New("it is not one that can be generated: give -csv, or -series and -pts")
	}
	if err != nil {
		return nil, err
	}
	return dataset.Open(dir)
}

// outdated tells whether the file that a set is made from was changed since.
func (s *session) outdated(dir string) bool {
	made, err := os.Stat(filepath.Join(dir, "meta.txt"))
	if err != nil {
		return false
	}
	for _, path := range []string{s.o.CSVPath, s.o.PTSPath, s.o.SeriesPath} {
		if info, err := os.Stat(path); path != "" && err == nil && info.ModTime().After(made.ModTime()) {
			return true
		}
	}
	return false
}

const realStepMillis = 300_000

// limits notes which sets servers don't get.
func (s *session) limits() error {
	for _, set := range s.sets {
		for _, t := range s.targets {
			if !s.tooLarge(t, set) {
				continue
			}
			why := fmt.Sprintf("%d samples are more than -limit %d", set.Samples, s.o.Limit)
			if err := s.miss(results.Missing{Target: "targets that are servers", Set: set.Name, Why: why}); err != nil {
				return err
			}
		}
	}
	return nil
}

// all runs the jobs and the goal parts. Interrupted, it still removes what is at servers that others run.
func (s *session) all(ctx context.Context) error {
	jobs := s.plan()
	s.show.begin(len(jobs) + len(s.o.Parts))
	var faults []error
	for i, j := range jobs {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, s.removeAll())
		}
		fault, err := s.turn(ctx, j)
		if err != nil {
			return errors.Join(err, s.removeAll())
		}
		if fault != nil && j.target.Ours {
			faults = append(faults, fmt.Errorf("%s on %s, %s: %w", j.target.Name, j.set.Name, j.phase, fault))
		}
		if i+1 == len(jobs) || jobs[i+1].set != j.set || jobs[i+1].round != j.round {
			if err := os.RemoveAll(s.stores()); err != nil {
				return err
			}
		}
	}
	if err := s.removeAll(); err != nil {
		return err
	}
	for _, p := range Parts {
		if !slices.Contains(s.o.Parts, p.Name) {
			continue
		}
		if s.o.For > 0 && time.Since(s.begun) > s.o.For {
			if err := s.miss(results.Missing{Target: "goals: " + p.Name, Why: s.late()}); err != nil {
				return err
			}
			continue
		}
		if err := s.part(ctx, p); err != nil {
			return err
		}
	}
	return errors.Join(faults...)
}

// turn runs one job. fault is what the target did wrong, err what ends the run.
func (s *session) turn(ctx context.Context, j job) (fault, err error) {
	storeless := j.target.Name + " " + j.set.Name
	if s.broken[j.target.Name] || !j.scratch && j.phase != "ingest" && s.broken[storeless] {
		s.show.skip()
		return nil, nil
	}
	uri := s.o.URIs[j.target.Name]
	if uri != "" && j.restarts() {
		s.show.skip()
		return nil, s.miss(results.Missing{Target: j.target.Name, Set: j.set.Name, Phase: j.phase, Why: "the server at the URI is not the suite's to stop"})
	}
	if over, err := s.impatient(j); over || err != nil {
		s.show.skip()
		return nil, err
	}
	begun := time.Now()
	result, fault := s.try(ctx, j)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.used[j.turn()] += time.Since(begun)
	if j.phase == "ingest" {
		s.broken[storeless] = fault != nil
	}
	if fault != nil {
		m := results.Missing{Target: j.target.Name, Set: j.set.Name, Phase: j.phase, Why: fault.Error()}
		if f := (*failure)(nil); errors.As(fault, &f) && f.code == target.ExitNotOpened && j.phase == "ingest" && !s.worked[j.target.Name] {
			s.broken[j.target.Name] = true // not installed, or not answering: no need to try all the rest
			m.Set, m.Phase = "", ""
		}
		s.show.done(j, begun, "not run")
		return fault, s.miss(m)
	}
	s.worked[j.target.Name] = true
	s.show.done(j, begun, headline(result))
	return nil, s.keep(results.Record{Result: result})
}

// turn names what Patience is for.
func (j job) turn() string { return fmt.Sprintf("%s %s %d", j.target.Name, j.set.Name, j.round) }

// partsTake is about how long all goal parts take.
const partsTake = 5 * time.Minute

// impatient tells whether the target, or the run, has had its time, and notes that.
func (s *session) impatient(j job) (over bool, err error) {
	rest := s.o.For
	if rest > 0 && len(s.o.Parts) > 0 {
		rest = max(rest/2, rest-partsTake)
	}
	switch {
	case rest > 0 && time.Since(s.begun) > rest:
		return true, s.miss(results.Missing{Target: "all targets", Set: j.set.Name, Phase: j.phase, Why: s.late()})
	case s.o.Patience > 0 && s.used[j.turn()] > s.o.Patience:
		why := fmt.Sprintf("its phases on this set took more than %v by then: see -patience", s.o.Patience)
		return true, s.miss(results.Missing{Target: j.target.Name, Set: j.set.Name, Phase: j.phase, Why: why})
	}
	return false, nil
}

func (s *session) late() string {
	return fmt.Sprintf("the run was to take no more than about %v: see -for", s.o.For)
}

// try runs the process or processes of a job, on a store that is its own if it is to be fresh.
func (s *session) try(ctx context.Context, j job) (r *target.Result, err error) {
	store := filepath.Join(s.stores(), s.storeName(j))
	if j.fresh {
		if err := s.remove(j, store); err != nil {
			return nil, err
		}
	}
	if j.scratch {
		defer func() { err = errors.Join(err, s.remove(j, store)) }()
	}
	if err := os.MkdirAll(s.stores(), 0o755); err != nil {
		return nil, err
	}
	if j.phase == "crash" {
		return s.crash(ctx, j, store)
	}
	return s.phase(ctx, j, store, j.part())
}

func (s *session) storeName(j job) string {
	name := dataset.DirName(j.set.Name) + "-" + j.target.Name
	if j.scratch {
		name += "-x"
	}
	return name
}

// args are those of an adapter.
func (s *session) args(j job, store, part string, more ...string) []string {
	args := []string{"-phase", part, "-data", j.set.Dir, "-store", store, "-variant", j.variant, "-round", strconv.Itoa(j.round),
		"-writers", strconv.Itoa(j.writers), "-batch", strconv.Itoa(j.batch), "-seed", strconv.Itoa(s.o.Seed)}
	if j.fsync {
		args = append(args, "-fsync")
	}
	if uri := s.o.URIs[j.target.Name]; uri != "" {
		name := strings.Map(letters, "tsdbbench-"+s.storeName(j))
		args = append(args, "-uri", uri, "-name", name)
	}
	return append(args, more...)
}

// letters keeps what every server allows in a name.
func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	if r >= 'A' && r <= 'Z' {
		return r - 'A' + 'a'
	}
	return '_'
}

// phase runs one process of an adapter and judges its answers.
func (s *session) phase(ctx context.Context, j job, store, part string, more ...string) (*target.Result, error) {
	p, err := s.launch(s.binary(j.target.Name), s.args(j, store, part, more...)...)
	if err != nil {
		return nil, err
	}
	if err := p.wait(ctx, s.o.Timeout); err != nil {
		return nil, err
	}
	r, err := readResult(p.out)
	if err != nil {
		return nil, err
	}
	if !j.target.Empty {
		r.Wrong = judge(r, s.answers[j.set.Name])
	}
	return r, nil
}

// launch starts a program whose temporary files, too, are below the work directory.
func (s *session) launch(path string, args ...string) (*process, error) {
	tmp := filepath.Join(s.o.Work, "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return nil, err
	}
	return start(filepath.Join(s.o.Work, "log"), []string{"TMPDIR=" + tmp, "TSDB_SERVER=" + s.binary("server")}, s.o.Source, path, args...)
}

// tolerance is how far sums may differ: stores add in different orders, and one keeps twelve digits.
const tolerance = 1e-7

// judge lists the questions whose sums are not those of the set.
func judge(r *target.Result, answers map[string]float64) (wrong []string) {
	for name, text := range r.Texts {
		question, isSum := strings.CutSuffix(name, "_sum")
		want, known := answers[question]
		if !isSum || !known {
			continue
		}
		got, err := strconv.ParseFloat(text, 64)
		if err != nil || !(math.Abs(got-want) <= tolerance*math.Max(math.Abs(got), math.Abs(want))) {
			wrong = append(wrong, question)
		}
	}
	slices.Sort(wrong)
	return wrong
}

// part runs a goal part.
func (s *session) part(ctx context.Context, p Part) error {
	j := job{phase: p.Name}
	begun := time.Now()
	binary := s.binary("goal-" + p.Name)
	err := s.tool(ctx, "go", "build", "-o", binary, "./cmd/"+p.Name)
	if err == nil {
		err = s.goals(ctx, p, binary)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.show.done(j, begun, "not run")
		return s.miss(results.Missing{Target: "goals: " + p.Name, Why: err.Error()})
	}
	s.show.done(j, begun, "done")
	return nil
}

func (s *session) goals(ctx context.Context, p Part, binary string) error {
	running, err := s.launch(binary, append(slices.Clone(p.Args), "-work", s.o.Work, "-results", s.o.Out)...)
	if err != nil {
		return err
	}
	return running.wait(ctx, s.o.PartTimeout)
}
