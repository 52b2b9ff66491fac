package target

import (
	"errors"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/telemetrydb/tsdb/bench/cost"
	"github.com/telemetrydb/tsdb/bench/dataset"
)

// driftBatches is how far writers may get apart: an engine may refuse samples far behind the newest.
const driftBatches = 4

func (p *phase) ingest() error {
	if err := p.open(); err != nil {
		return err
	}
	p.noteVersion()
	w := p.watch()
	samples, err := p.appendAll()
	if err != nil {
		return err
	}
	if samples == 0 {
		return errors.New("the set has no samples")
	}
	perMillion := 1e6 / float64(samples)
	p.put("samples", float64(samples))
	p.put("writers", float64(p.options.Writers))
	p.put("batch", float64(p.batch))
	p.put("ingest_s", w.wall())
	p.put("samples_per_s", float64(samples)/w.wall())
	appending := w.used()
	settle := p.watch()
	if err := p.engine.Settle(); err != nil {
		return err
	}
	settled := settle.wall()
	bytes, elsewhere, err := p.bytesElsewhere()
	unknown := errors.Is(err, errors.ErrUnsupported)
	if err != nil && !unknown {
		return err
	}
	owner, peak := p.worker(), p.peakMiB()
	closing := p.watch()
	if err := p.engine.Close(); err != nil {
		return err
	}
	p.put("settle_s", settled+closing.wall())
	p.putCosts(owner, appending, w.used(), perMillion, peak)
	if unknown {
		return nil
	}
	if !elsewhere {
		p.putDisk(samples)
		return nil
	}
	p.put("at_rest_bytes_per_sample", float64(bytes)/float64(samples))
	p.put("all_bytes_per_sample", float64(bytes)/float64(samples))
	return nil
}

// putCosts notes CPU and memory of whoever did the work, as far as that can be measured.
func (p *phase) putCosts(owner worker, appending, whole spending, perMillion, peak float64) {
	if owner != linkedIn {
		p.put("client_cpu_s_per_million", whole.self*perMillion)
		p.put("client_peak_mib", cost.PeakMiB(os.Getpid()))
	}
	switch owner {
	case farServer:
		return
	case ownServer:
		p.put("server_ingest_cpu_s_per_million", appending.server*perMillion)
		p.put("server_cpu_s_per_million", whole.server*perMillion)
	case linkedIn:
		peak = p.peakMiB() // closing is work too
	}
	p.put("ingest_cpu_s_per_million", appending.all()*perMillion)
	p.put("total_cpu_s_per_million", whole.all()*perMillion)
	p.put("peak_mib", peak)
}

// bytesElsewhere asks a target for the bytes that are not below the store's directory.
func (p *phase) bytesElsewhere() (n int64, elsewhere bool, err error) {
	sized, ok := p.engine.(Sized)
	if !ok {
		return 0, false, nil
	}
	n, err = sized.Bytes()
	return n, true, err
}

func (p *phase) putDisk(samples int64) {
	var except []string
	if r, ok := p.engine.(Rebuilder); ok {
		except = r.NotAtRest()
	}
	p.put("at_rest_bytes_per_sample", float64(cost.TreeBytes(p.store, except...))/float64(samples))
	p.put("all_bytes_per_sample", float64(cost.TreeBytes(p.store))/float64(samples))
}

// appendAll has each writer append its share of the series.
func (p *phase) appendAll() (samples int64, err error) {
	if p.options.Writers == 1 {
		return p.appendPart(0, nil)
	}
	var total atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, p.options.Writers)
	pace := newPacer(p.options.Writers)
	for i := range errs {
		wg.Go(func() {
			defer pace.leave(i)
			n, err := p.appendPart(i, pace)
			total.Add(n)
			errs[i] = err
		})
	}
	wg.Wait()
	return total.Load(), errors.Join(errs...)
}

func (p *phase) appendPart(writer int, pace *pacer) (samples int64, err error) {
	r, err := p.set.Share(writer, p.options.Writers)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	rows := make([]dataset.Sample, p.batch)
	for {
		n, err := r.Next(rows)
		if err != nil || n == 0 {
			return samples, err
		}
		if err := p.engine.Append(writer, rows[:n]); err != nil {
			return samples, err
		}
		samples += int64(n)
		if pace != nil {
			pace.step(writer)
		}
	}
}

// pacer keeps the clocks of writers close: one that is driftBatches ahead of the slowest waits until half of that is made up. Nobody waits
// for one who is about as fast.
type pacer struct {
	mu     sync.Mutex
	moved  *sync.Cond
	done   []int // batches of each writer; noMore: it has left
	wanted int   // of the slowest, by somebody who waits; noMore: nobody does
}

const noMore = math.MaxInt

func newPacer(writers int) *pacer {
	p := &pacer{done: make([]int, writers), wanted: noMore}
	p.moved = sync.NewCond(&p.mu)
	return p
}

// step counts a batch of a writer and waits if need be.
func (p *pacer) step(writer int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[writer]++
	p.wakeLocked()
	if p.done[writer] < slices.Min(p.done)+driftBatches {
		return
	}
	for enough := p.done[writer] - driftBatches/2; slices.Min(p.done) < enough; {
		p.wanted = min(p.wanted, enough)
		p.moved.Wait()
	}
}

// leave says that a writer has no more batches.
func (p *pacer) leave(writer int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[writer] = noMore
	p.wakeLocked()
}

func (p *pacer) wakeLocked() {
	if slices.Min(p.done) >= p.wanted {
		p.wanted = noMore
		p.moved.Broadcast()
	}
}
