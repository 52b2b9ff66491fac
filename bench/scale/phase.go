package scale

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/telemetrydb/tsdb/bench/cost"
	"github.com/telemetrydb/tsdb/engine"
)

// phase is what a process does to one store.
type phase struct {
	Name         string // of the phase
	Dir          string
	Metrics      int    // ten a resource
	Active       int    // of them, those that get samples: of every so many-th resource
	From, Cycles int    // cycles to append: From, From+1 …
	WidthSeconds int    // of a cycle
	Trace        string // directory of a prepared set whose values they have
	MemoryMiB    int64
	Compact      bool // bring the store to rest at the end

	out map[string]float64
	ctx context.Context
}

// RunPhase runs a phase, which a Session has described, in this process, and prints what it measured.
func RunPhase(description string, out io.Writer) error {
	var p phase
	if err := json.Unmarshal([]byte(description), &p); err != nil {
		return err
	}
	if err := p.run(); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	return json.NewEncoder(out).Encode(p.out)
}

func (p *phase) run() error {
	p.out, p.ctx = map[string]float64{}, context.Background()
	phases := map[string]func() error{
		"create": p.create, "ingest": p.ingest, "open": p.open, "query": p.query, "search": p.search,
	}
	run := phases[p.Name]
	if run == nil {
		return fmt.Errorf("no phase %q", p.Name)
	}
	if err := run(); err != nil {
		return err
	}
	p.out["peak MiB"] = cost.PeakMiB(os.Getpid())
	return nil
}

func (p *phase) width() time.Duration { return time.Duration(p.WidthSeconds) * time.Second }

func (p *phase) store() string { return filepath.Join(p.Dir, "db") }

func (p *phase) openDB() (*engine.DB, error) {
	return engine.Open(p.store(), &engine.Options{MemoryBytes: p.MemoryMiB << 20})
}

func (p *phase) most(name string, v float64) { p.out[name] = max(p.out[name], v) }

// stride is of how many resources one is alive.
func (p *phase) stride() int { return p.Metrics / p.Active }

// refs are those of the metrics that get samples.
func (p *phase) refs() (refs []engine.Ref, err error) {
	b, err := os.ReadFile(filepath.Join(p.Dir, "refs"))
	if err != nil {
		return nil, err
	}
	for i := range len(b) / 4 {
		if i/kinds%p.stride() == 0 {
			refs = append(refs, engine.Ref(binary.LittleEndian.Uint32(b[4*i:])))
		}
	}
	return refs, nil
}
