package target

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// mixed appends the set once more, and again, each time behind the last, while a reader asks for an hour and for all of a series in turn.
func (p *phase) mixed() error {
	if err := p.open(); err != nil {
		return err
	}
	var stop atomic.Bool
	var samples int64
	wrote := make(chan error, 1)
	w := p.watch()
	go func() {
		var err error
		samples, err = p.appendBehind(&stop)
		stop.Store(true)
		wrote <- err
	}()
	questions := p.questions()[:2] // of one series each
	took := make([][]float64, len(questions))
	var err error
	for i := 0; err == nil && !stop.Load() && w.wall() < p.span.Seconds(); i++ {
		start := time.Now()
		_, _, err = questions[i%2].ask(i / 2)
		took[i%2] = append(took[i%2], micros(time.Since(start)))
	}
	wall := w.wall()
	stop.Store(true)
	if err := errors.Join(err, <-wrote); err != nil {
		return errors.Join(err, p.engine.Close())
	}
	p.put("mixed_samples_per_s", float64(samples)/w.wall())
	p.put("mixed_answers_per_s", float64(len(took[0])+len(took[1]))/wall)
	p.put("mixed_cpu_cores", w.used().all()/w.wall())
	p.putPeak()
	for i, q := range questions {
		if len(took[i]) > 0 {
			p.latencies("mixed_"+q.name, took[i])
		}
	}
	return p.engine.Close()
}

// appendBehind repeats the set behind its own end until stop.
func (p *phase) appendBehind(stop *atomic.Bool) (samples int64, err error) {
	length := p.set.MaxMillis - p.set.MinMillis + max(1, p.set.StepMillis)
	rows := make([]dataset.Sample, p.batch)
	for pass := int64(1); ; pass++ {
		r, err := p.set.Share(0, 1)
		if err != nil {
			return samples, err
		}
		for !stop.Load() {
			n, err := r.Next(rows)
			if err != nil || n == 0 {
				if err = errors.Join(err, r.Close()); err != nil {
					return samples, err
				}
				break
			}
			for i := range rows[:n] {
				rows[i].Millis += pass * length
			}
			if err := p.engine.Append(0, rows[:n]); err != nil {
				return samples, errors.Join(err, r.Close())
			}
			samples += int64(n)
		}
		if stop.Load() {
			return samples, r.Close()
		}
	}
}
