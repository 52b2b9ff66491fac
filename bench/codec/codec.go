// Package codec compares the project's blocks with Prometheus' XOR chunks on the same columns: bytes and nanoseconds a sample.
package codec

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/encoding"
)

// Figures are means a sample over a whole set.
type Figures struct {
	Bytes                    float64
	EncodeNanos, DecodeNanos float64
}

// column is one series cut to one block. Prometheus counts milliseconds, the project nanoseconds.
type column struct {
	series        int
	millis, nanos []int64
	values        []float64
}

// Columns are the samples of a set, cut into blocks.
type Columns struct {
	blocks  []column
	samples int
	series  int
}

// Cut reads a set and cuts each series into blocks of rows samples; the last of a series may be shorter.
func Cut(set *dataset.Set, rows int) (*Columns, error) {
	times, values, err := set.Columns()
	if err != nil {
		return nil, err
	}
	c := &Columns{series: len(times)}
	for i, millis := range times {
		nanos := make([]int64, len(millis))
		for k, t := range millis {
			nanos[k] = t * int64(time.Millisecond)
		}
		for from := 0; from < len(millis); from += rows {
			to := min(from+rows, len(millis))
			c.blocks = append(c.blocks, column{i, millis[from:to], nanos[from:to], values[i][from:to]})
			c.samples += to - from
		}
	}
	return c, nil
}

// passes are how often each codec is timed, by turns; the best pass counts.
const passes = 5

// contender is one codec at work on the columns.
type contender struct {
	name           string
	encode, decode func() error
	blocks         [][]byte
	figures        Figures
}

// Compare measures Prometheus' XOR chunks, our blocks as ingest writes them, and our blocks as the background re-encodes them, in
// that order, and checks that ours give back every bit. The last are encoded once only.
func (c *Columns) Compare() ([]Figures, error) {
	all := []*contender{c.prometheus(), c.ours(encoding.Fast), c.ours(encoding.Cold)}
	for pass := range passes {
		for i, x := range all {
			if pass == 0 || i < 2 {
				if err := c.time(x.encode, &x.figures.EncodeNanos); err != nil {
					return nil, fmt.Errorf("%s: %w", x.name, err)
				}
			}
			if err := c.time(x.decode, &x.figures.DecodeNanos); err != nil {
				return nil, fmt.Errorf("%s: %w", x.name, err)
			}
		}
	}
	figures := make([]Figures, len(all))
	for i, x := range all {
		x.figures.Bytes = c.size(x.blocks)
		figures[i] = x.figures
		if i == 0 {
			continue
		}
		if err := c.check(x.blocks); err != nil {
			return nil, fmt.Errorf("%s: %w", x.name, err)
		}
	}
	return figures, nil
}

// prometheus makes one XOR chunk a block.
func (c *Columns) prometheus() *contender {
	x := &contender{name: "Prometheus XOR", blocks: make([][]byte, len(c.blocks))}
	x.encode = func() error {
		for i, b := range c.blocks {
			chunk := chunkenc.NewXORChunk()
			a, err := chunk.Appender()
			if err != nil {
				return err
			}
			for k, v := range b.values {
				a.Append(0, b.millis[k], v)
			}
			x.blocks[i] = chunk.Bytes()
		}
		return nil
	}
	var it chunkenc.Iterator
	times, values := make([]int64, encoding.MaxRows), make([]float64, encoding.MaxRows)
	x.decode = func() error {
		for _, bytes := range x.blocks {
			chunk, err := chunkenc.FromData(chunkenc.EncXOR, bytes)
			if err != nil {
				return err
			}
			it = chunk.Iterator(it)
			for n := 0; it.Next() == chunkenc.ValFloat; n++ {
				times[n], values[n] = it.At()
			}
			if err := it.Err(); err != nil {
				return err
			}
		}
		return nil
	}
	return x
}

// ours makes blocks of package encoding. Each series keeps its hint from block to block, as it does at ingest.
func (c *Columns) ours(effort encoding.Effort) *contender {
	x := &contender{name: fmt.Sprintf("effort %d", effort), blocks: make([][]byte, len(c.blocks))}
	var e encoding.Encoder
	x.encode = func() error {
		hints := make([]encoding.Hint, c.series)
		cols := make([]encoding.Column, 1)
		for i, b := range c.blocks {
			e.SetHint(&hints[b.series])
			cols[0].Values = b.values
			x.blocks[i] = e.AppendBlock(x.blocks[i][:0], b.nanos, cols, effort)
		}
		return nil
	}
	times, values := make([]int64, 0, encoding.MaxRows), make([]float64, 0, encoding.MaxRows)
	x.decode = func() (err error) {
		for _, src := range x.blocks {
			if times, values, err = decode(src, times[:0], values[:0]); err != nil {
				return err
			}
		}
		return nil
	}
	return x
}

func decode(src []byte, times []int64, values []float64) ([]int64, []float64, error) {
	b, err := encoding.ParseBlock(src)
	if err != nil {
		return times, values, err
	}
	if times, err = b.AppendTimes(times, 0, b.Len()); err != nil {
		return times, values, err
	}
	values, err = b.AppendValues(values, 0, 0, b.Len())
	return times, values, err
}

func (c *Columns) check(blocks [][]byte) error {
	for i, want := range c.blocks {
		times, values, err := decode(blocks[i], nil, nil)
		if err != nil || len(times) != len(want.nanos) || len(values) != len(want.values) {
			return fmt.Errorf("block %d: %d times, %d values: %v", i, len(times), len(values), err)
		}
		for k := range times {
			if times[k] != want.nanos[k] || math.Float64bits(values[k]) != math.Float64bits(want.values[k]) {
				return fmt.Errorf("block %d, row %d: %d %v, want %d %v", i, k, times[k], values[k], want.nanos[k], want.values[k])
			}
		}
	}
	return nil
}

// time runs f and keeps the least CPU time that it took. Time of the thread, not of the wall: others may use the machine.
func (c *Columns) time(f func() error, least *float64) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := threadNanos()
	if err := f(); err != nil {
		return err
	}
	if took := float64(threadNanos()-start) / float64(c.samples); *least == 0 || took < *least {
		*least = took
	}
	return nil
}

func threadNanos() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) // fails on no Linux
	return t.Nano()
}

func (c *Columns) size(blocks [][]byte) float64 {
	n := 0
	for _, b := range blocks {
		n += len(b)
	}
	return float64(n) / float64(c.samples)
}
