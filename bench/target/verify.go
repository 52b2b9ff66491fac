package target

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// imprint is a sum over samples that any changed bit of a time or a value changes.
type imprint struct {
	samples int64
	sum     uint64
}

func (m *imprint) add(millis int64, value float64) {
	const a, b = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9
	x := uint64(millis)*a ^ math.Float64bits(value)
	x = (x ^ x>>30) * b
	m.sum += x ^ x>>27
	m.samples++
}

// expected gives the imprint of each series over the first limit samples of the set.
func (p *phase) expected(limit int64) ([]imprint, error) {
	r, err := p.set.Read(dataset.All)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out := make([]imprint, len(p.set.Series))
	rows := make([]dataset.Sample, 4096)
	for limit > 0 {
		n, err := r.Next(rows[:min(limit, int64(len(rows)))])
		if err != nil || n == 0 {
			return out, err
		}
		for _, s := range rows[:n] {
			out[s.Series].add(s.Millis, s.Value)
		}
		limit -= int64(n)
	}
	return out, nil
}

func (p *phase) stored(series int, most int64) (m imprint, all int64, err error) {
	unitsPerMilli := int64(time.Millisecond / p.engine.Unit())
	err = p.engine.Scan(Selection{Series: series}, p.set.MinMillis, p.set.MaxMillis, func(times []int64, values []float64) {
		for i, t := range times {
			if m.samples < most {
				m.add(t/unitsPerMilli, values[i])
			}
		}
		all += int64(len(times))
	})
	return m, all, err
}

// verify reads the whole store back and counts the series that differ in any bit.
func (p *phase) verify() error {
	if err := p.open(); err != nil {
		return err
	}
	want, err := p.expected(math.MaxInt64)
	if err != nil {
		return err
	}
	found, inexact := int64(0), 0
	for i := range want {
		got, n, err := p.stored(i, math.MaxInt64)
		if err != nil {
			return fmt.Errorf("series %d: %w", i, err)
		}
		found += n
		if got != want[i] {
			inexact++
		}
	}
	p.put("samples", float64(found))
	p.put("inexact_series", float64(inexact))
	p.put("series", float64(len(want)))
	return p.engine.Close()
}

// crashWrite appends until it is killed and keeps the count of acknowledged samples in a file; the page cache outlives it.
func (p *phase) crashWrite() error {
	f, err := os.Create(p.ackPath)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := p.open(); err != nil {
		return err
	}
	r, err := p.set.Read(dataset.All)
	if err != nil {
		return err
	}
	defer r.Close()
	rows := make([]dataset.Sample, p.batch)
	total := int64(0)
	for {
		n, err := r.Next(rows)
		if err != nil {
			return err
		}
		if n == 0 {
			time.Sleep(time.Hour) // until the kill
		}
		if err := p.engine.Append(0, rows[:n]); err != nil {
			return err
		}
		total += int64(n)
		if _, err := f.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(total)), 0); err != nil {
			return err
		}
	}
}

// Acknowledged reads the count that a crash-write phase keeps; 0 if it has not begun.
func Acknowledged(path string) int64 {
	b, err := os.ReadFile(path)
	if err != nil || len(b) != 8 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// crashCheck reopens after a kill and compares what is there with what was acknowledged, series by series: a series must
// begin with its acknowledged samples and may hold more.
func (p *phase) crashCheck() error {
	acknowledged := Acknowledged(p.ackPath)
	if acknowledged == 0 {
		return errors.New("nothing was acknowledged before the kill")
	}
	want, err := p.expected(acknowledged)
	if err != nil {
		return err
	}
	w := p.watch()
	if err := p.open(); err != nil {
		return err
	}
	wall, used := w.wall(), w.used().all()
	p.put("reopen_ms", wall*1e3)
	p.put("reopen_cpu_ms", used*1e3)
	p.put("reopen_ms_per_million", wall*1e3/float64(acknowledged)*1e6)
	p.put("reopen_cpu_ms_per_million", used*1e3/float64(acknowledged)*1e6)
	lost, found, wrong := int64(0), int64(0), 0
	for i := range want {
		got, n, err := p.stored(i, want[i].samples)
		if err != nil {
			return fmt.Errorf("series %d: %w", i, err)
		}
		found += n
		if got.samples < want[i].samples {
			lost += want[i].samples - got.samples
		} else if got != want[i] {
			wrong++
		}
	}
	p.put("acknowledged", float64(acknowledged))
	p.put("found", float64(found))
	p.put("lost", float64(lost))
	p.put("wrong_series", float64(wrong))
	p.putPeak()
	return p.engine.Close()
}
