package scale

import (
	"fmt"
	"os"

	"github.com/telemetrydb/tsdb/bench/cost"
	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/engine"
)

const (
	batchSamples = 1000 // in one Append
	reports      = 100  // of a run, by which who kills it goes
)

// ingest appends cycles and says on standard error after each hundredth of the samples how many are acknowledged.
func (p *phase) ingest() error {
	refs, err := p.refs()
	if err != nil {
		return err
	}
	samples := stream{metrics: len(refs), width: p.width()}
	if p.Trace != "" {
		set, err := dataset.Open(p.Trace)
		if err != nil {
			return err
		}
		if _, samples.trace, err = set.Columns(); err != nil {
			return err
		}
	}
	db, err := p.openDB()
	if err != nil {
		return err
	}
	w, written, acked := cost.Start(), cost.WrittenBytes(), 0
	p.out["peak MiB before"] = cost.PeakMiB(os.Getpid())
	report := max(p.Cycles*len(refs)/reports, batchSamples)
	var cycles []float64
	var b engine.Batch
	for c := p.From; c < p.From+p.Cycles; c++ {
		cw, before := cost.Start(), acked
		for i := 0; i < len(refs); i += batchSamples {
			part := refs[i:min(i+batchSamples, len(refs))]
			if err := p.append(db, &b, &samples, part, i, c); err != nil {
				return err
			}
			if acked += len(part); acked/report != (acked-len(part))/report {
				p.tell(db, acked)
			}
		}
		cycles = append(cycles, cw.Used()/float64(acked-before)*1e6)
	}
	million := float64(acked) / 1e6
	p.out["samples"] = float64(acked)
	p.out["wall/M"], p.out["CPU/M appending"] = w.Wall()/million, w.Used()/million
	p.out["CPU/M first"], p.out["CPU/M last half"] = cycles[0], mean(cycles[len(cycles)/2:])
	if err := p.finish(db); err != nil {
		return err
	}
	p.out["CPU/M"], p.out["wchar"] = w.Used()/million, cost.WrittenBytes()-written
	return nil
}

// append adds the samples of a cycle of the metrics from the first-th on.
func (p *phase) append(db *engine.DB, b *engine.Batch, samples *stream, refs []engine.Ref, first, cycle int) error {
	b.Reset()
	for i, ref := range refs {
		t, v := samples.sample(first+i, cycle)
		b.Add(ref, t, v)
	}
	res, err := db.Append(p.ctx, b)
	if err == nil && res.Accepted != len(refs) {
		err = fmt.Errorf("cycle %d: %d of %d samples accepted", cycle, res.Accepted, len(refs))
	}
	return err
}

const told = "acknowledged %d log %d head %d" // of which a Session reads the numbers

func (p *phase) tell(db *engine.DB, acked int) {
	st := db.Stats()
	p.most("log bytes", float64(st.LogBytes))
	p.most("head bytes", float64(st.HeadBytes))
	fmt.Fprintf(os.Stderr, told+" series %d seals %d\n", acked, st.LogBytes, st.HeadBytes, st.HeadSeries, st.Seals)
}

// finish closes the store, at rest if that is asked for.
func (p *phase) finish(db *engine.DB) error {
	st := db.Stats()
	p.out["seals"], p.out["written appending"] = float64(st.Seals), float64(st.WrittenBytes)
	if p.Compact {
		if err := db.Compact(p.ctx); err != nil {
			return err
		}
		st = db.Stats()
		p.out["blocks"], p.out["written"] = float64(st.Blocks), float64(st.WrittenBytes)
	}
	w := cost.Start()
	if err := db.Close(); err != nil {
		return err
	}
	p.out["close s"], p.out["bytes"] = w.Wall(), float64(cost.TreeBytes(p.store()))
	return nil
}

func mean(xs []float64) (sum float64) {
	for _, x := range xs {
		sum += x / float64(len(xs))
	}
	return sum
}
