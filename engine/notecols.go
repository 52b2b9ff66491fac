package engine

import (
	"slices"

	"github.com/telemetrydb/tsdb/encoding"
)

// Columns of a block of raw samples beside the values. A block whose samples have no annotations has neither.
const (
	columnValue   = 0
	columnContext = 1
	columnDelay   = 2 // milliseconds
)

// noteColumns are annotations as columns of a block. Both are empty where there are none.
type noteColumns struct {
	contexts, delays []float64
}

// of decodes the first k notes of a tail; false if they break the format.
func (c *noteColumns) of(nt *notes, k int) bool {
	c.contexts, c.delays = c.contexts[:0], c.delays[:0]
	if nt == nil {
		return true
	}
	r := nt.reader()
	for range k {
		a, ok := r.next()
		if !ok {
			return false
		}
		c.contexts = append(c.contexts, float64(a.context))
		c.delays = append(c.delays, float64(a.delay))
	}
	return true
}

// rows returns the annotations of some rows.
func (c *noteColumns) rows(i, j int) noteColumns {
	if len(c.contexts) == 0 {
		return noteColumns{}
	}
	return noteColumns{c.contexts[i:j], c.delays[i:j]}
}

// join returns the annotations of the n rows of c followed by the m rows of d. It may use the memory of c.
func (c *noteColumns) join(n int, d noteColumns, m int) noteColumns {
	if len(c.contexts) == 0 && len(d.contexts) == 0 {
		return noteColumns{}
	}
	c.fill(n)
	d.fill(m)
	c.contexts, c.delays = append(c.contexts, d.contexts...), append(c.delays, d.delays...)
	return *c
}

// fill makes absent annotations of n rows explicit.
func (c *noteColumns) fill(n int) {
	if len(c.contexts) == 0 {
		c.contexts = append(c.contexts, make([]float64, n)...)
		c.delays = append(c.delays, make([]float64, n)...)
	}
}

// read reads the annotations of rows [i,j) of a block.
func (c *noteColumns) read(b *encoding.Block, i, j int) (err error) {
	c.contexts, c.delays = c.contexts[:0], c.delays[:0]
	if b.Columns() == 1 {
		return nil
	}
	if at, ok := b.Find(columnContext); ok {
		if c.contexts, err = b.AppendValues(c.contexts, at, i, j); err != nil {
			return err
		}
	}
	if at, ok := b.Find(columnDelay); ok {
		if c.delays, err = b.AppendValues(c.delays, at, i, j); err != nil {
			return err
		}
	}
	if len(c.contexts) != len(c.delays) {
		return encoding.ErrCorrupt
	}
	return nil
}

func notZero(v float64) bool { return v != 0 }

// putRaw writes a block of raw samples.
func (w *blockWriter) putRaw(key blockKey, ts []int64, vs []float64, noted noteColumns) error {
	if over := len(ts) - encoding.MaxRows; over > 0 { // all of one instant, or nearly: the oldest arrivals are not worth a rule of their own
		ts, vs, noted = ts[over:], vs[over:], noted.rows(min(over, len(noted.contexts)), len(noted.contexts))
	}
	cols := append(w.cols[:0], encoding.Column{ID: columnValue, Values: vs})
	if slices.ContainsFunc(noted.contexts, notZero) || slices.ContainsFunc(noted.delays, notZero) {
		cols = append(cols, encoding.Column{ID: columnContext, Values: noted.contexts}, encoding.Column{ID: columnDelay, Values: noted.delays})
	}
	w.cols = cols
	return w.put(key, ts, cols)
}
