package target

import (
	"errors"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/bench/cost"
)

const (
	restarts        = 5
	longestRestarts = 15 * time.Second // after which no other is begun
	longestCold     = 40 * time.Second // after which no other question is asked
)

var errNotOurs = errors.New("the server is not the suite's to stop")

// restart takes the time from opening a store that was closed well until the first answer, with its files in the page cache.
func (p *phase) restart() error {
	if p.options.URI != "" {
		return errNotOurs
	}
	q := p.questions()[1]
	var took []float64
	used := 0.0
	for i := range restarts {
		w := p.watch()
		if err := p.open(); err != nil {
			return err
		}
		if _, _, err := q.ask(i); err != nil {
			return errors.Join(err, p.engine.Close())
		}
		took = append(took, w.wall()*1e3)
		used += w.used().all()
		if err := p.engine.Close(); err != nil {
			return err
		}
		if sum(took) > longestRestarts.Seconds()*1e3 {
			break
		}
	}
	slices.Sort(took)
	p.put("restart_best_ms", took[0])
	p.put("restart_median_ms", took[len(took)/2])
	p.put("restart_cpu_ms", used/float64(len(took))*1e3)
	return nil
}

func sum(values []float64) (s float64) {
	for _, v := range values {
		s += v
	}
	return s
}

// cold asks each question once of a store just opened, whose files the system had to forget, and that for several picks, as far as time allows.
func (p *phase) cold() error {
	if p.options.URI != "" {
		return errNotOurs
	}
	took := map[string][]float64{}
	begun := time.Now()
	for pick := range checkedPicks {
		for _, q := range p.questions() {
			if time.Since(begun) > longestCold {
				break
			}
			if err := cost.Forget(p.store); err != nil {
				return err
			}
			if err := p.open(); err != nil {
				return err
			}
			start := time.Now()
			_, _, err := q.ask(pick)
			took[q.name] = append(took[q.name], micros(time.Since(start)))
			if err := errors.Join(err, p.engine.Close()); err != nil {
				return err
			}
		}
	}
	for name, micros := range took {
		slices.Sort(micros)
		p.put(name+"_cold_best_us", micros[0])
		p.put(name+"_cold_median_us", micros[len(micros)/2])
	}
	return nil
}
