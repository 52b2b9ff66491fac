package suite

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target"
)

// Options say what to run. Names are of Targets, Phases, Parts, and of sets as dataset.ParseName takes them.
type Options struct {
	Targets, Sets, Phases, Parts []string
	Rounds                       int
	Writers                      []int             // of the phase writers; 1 is what ingest does
	Work                         string            // directory for everything
	Out                          string            // file of results, appended to
	Source                       string            // the directory bench of the repository
	Install                      bool              // fetch the Debian packages that targets need
	URIs                         map[string]string // of servers that run already, by target
	SeriesPath, PTSPath, CSVPath string            // of a set that is not generated
	Limit                        int64             // of samples of a set that servers get; 0: none
	Timeout                      time.Duration     // of one phase
	PartTimeout                  time.Duration     // of one goal part
	Patience                     time.Duration     // with all phases of one target, set and round; 0: any
	For                          time.Duration     // about how long the whole run may take, goal parts included; 0: any
	Seed                         int               // chooses the series and hours asked for
	KillAt                       float64           // part of the samples acknowledged when the writer is killed
	Command                      string            // to repeat the run
	Progress                     io.Writer

	targets []Target // in place of Targets
}

// prepared returns a copy with absolute paths, or what is wrong with the options, all at once.
func (o Options) prepared() (Options, error) {
	if o.targets == nil {
		o.targets = Targets
	}
	errs := []error{
		known("target", o.Targets, names(o.targets, func(t Target) string { return t.Name })),
		known("phase", o.Phases, PhaseNames()),
		known("goal part", o.Parts, PartNames()),
	}
	for _, set := range o.Sets {
		_, _, err := dataset.ParseName(set)
		errs = append(errs, err)
	}
	for _, n := range o.Writers {
		if n < 1 || n > target.MaxWriters {
			errs = append(errs, fmt.Errorf("%d writers: want 1 to %d", n, target.MaxWriters))
		}
	}
	if o.Rounds < 1 || o.Timeout <= 0 || o.PartTimeout <= 0 || o.KillAt <= 0 || o.KillAt >= 1 || o.Limit < 0 || o.Seed < 0 || o.Patience < 0 || o.For < 0 {
		errs = append(errs, errors.New("rounds and timeouts must be more than 0, the part at which is killed between 0 and 1, the others at least 0"))
	}
	for _, path := range []*string{&o.Work, &o.Out, &o.Source} {
		absolute, err := filepath.Abs(*path)
		errs = append(errs, err)
		*path = absolute
	}
	return o, errors.Join(errs...)
}
