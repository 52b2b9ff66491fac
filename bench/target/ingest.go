package target

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// driftBatches is how far two writers may get apart: an engine may refuse samples far behind the newest.
const driftBatches = 4

func (p *phase) ingest() error {
	if err := p.engine.Open(p.store, p.set, p.options); err != nil {
		return err
	}
	w := startWatch()
	samples, err := p.appendAll()
	if err != nil {
		return err
	}
	perMillion := 1e6 / float64(samples)
	p.put("samples", float64(samples))
	p.put("writers", float64(p.options.Writers))
	p.put("ingest_s", w.wall())
	p.put("samples_per_s", float64(samples)/w.wall())
	p.put("ingest_cpu_s_per_million", w.used()*perMillion)
	settle := startWatch()
	if err := errors.Join(p.engine.Settle(), p.engine.Close()); err != nil {
		return err
	}
	p.put("settle_s", settle.wall())
	p.put("total_cpu_s_per_million", w.used()*perMillion)
	var except []string
	if r, ok := p.engine.(Rebuilder); ok {
		except = r.NotAtRest()
	}
	p.put("at_rest_bytes_per_sample", float64(treeBytes(p.store, except...))/float64(samples))
	p.put("all_bytes_per_sample", float64(treeBytes(p.store))/float64(samples))
	p.put("peak_mib", peakMemoryMiB())
	return nil
}

func (p *phase) appendAll() (samples int64, err error) {
	if p.options.Writers == 1 {
		return p.appendPart(0, dataset.All, nil)
	}
	var total atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, 2)
	pace := newPacer(2)
	for i, part := range []dataset.Part{dataset.Even, dataset.Odd} {
		wg.Go(func() {
			defer pace.leave()
			n, err := p.appendPart(i, part, pace)
			total.Add(n)
			errs[i] = err
		})
	}
	wg.Wait()
	return total.Load(), errors.Join(errs...)
}

func (p *phase) appendPart(writer int, part dataset.Part, pace *pacer) (samples int64, err error) {
	r, err := p.set.Read(part)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	rows := make([]dataset.Sample, p.batch)
	for batch := 1; ; batch++ {
		n, err := r.Next(rows)
		if err != nil || n == 0 {
			return samples, err
		}
		if err := p.engine.Append(writer, rows[:n]); err != nil {
			return samples, err
		}
		samples += int64(n)
		if pace != nil && batch%driftBatches == 0 {
			pace.wait()
		}
	}
}

// pacer lets writers wait for each other, so that their clocks stay close.
type pacer struct {
	mu      sync.Mutex
	turned  *sync.Cond
	writers int // still writing
	waiting int
	turn    int
}

func newPacer(writers int) *pacer {
	p := &pacer{writers: writers}
	p.turned = sync.NewCond(&p.mu)
	return p
}

func (p *pacer) wait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting++
	if p.releaseLocked() {
		return
	}
	for turn := p.turn; turn == p.turn; {
		p.turned.Wait()
	}
}

func (p *pacer) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writers--
	p.releaseLocked()
}

func (p *pacer) releaseLocked() bool {
	if p.waiting < p.writers {
		return false
	}
	p.waiting = 0
	p.turn++
	p.turned.Broadcast()
	return true
}
