// Command naive measures the simplest use of a key-value store: one Pebble key a sample, of series and time, with the float64
// as value, in batches of 1,000.
package main

import (
	"context"
	"encoding/binary"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target"
)

// Keys: 's' series u32 time i64 for samples; 'l' label 0 value 0 series u32 for the catalogue, whose value is the names.
const (
	kindSample = 's'
	kindLabel  = 'l'
	sampleKey  = 1 + 4 + 8
)

type engine struct {
	db     *pebble.DB
	commit *pebble.WriteOptions
	times  [1024]int64 // Scan gathers a column here
	values [1024]float64
}

type quiet struct{}

func (quiet) Infof(string, ...any)      {}
func (quiet) Errorf(f string, a ...any) { pebble.DefaultLogger.Errorf(f, a...) }
func (quiet) Fatalf(f string, a ...any) { pebble.DefaultLogger.Fatalf(f, a...) }

func (e *engine) Open(dir string, set *dataset.Set, o target.Options) (err error) {
	e.db, err = pebble.Open(dir, &pebble.Options{FormatMajorVersion: pebble.FormatNewest, Logger: quiet{}})
	if err != nil {
		return err
	}
	e.commit = pebble.NoSync
	if o.Fsync {
		e.commit = pebble.Sync
	}
	catalogue := e.db.NewBatch()
	for _, s := range set.Series {
		names := []byte(s.Metric + "\x00" + s.Resource + "\x00" + s.Project + "\x00" + s.Host + "\x00" + s.Group)
		for _, label := range [][2]string{{"project", s.Project}, {"group", s.Group}} {
			key := binary.BigEndian.AppendUint32(labelPrefix(label[0], label[1]), s.ID)
			if err := catalogue.Set(key, names, nil); err != nil {
				return err
			}
		}
	}
	if _, closer, err := e.db.Get([]byte{kindLabel}); err == nil { // the catalogue is there
		return closer.Close()
	}
	if err := catalogue.Set([]byte{kindLabel}, nil, nil); err != nil {
		return err
	}
	return catalogue.Commit(pebble.Sync)
}

func labelPrefix(key, value string) []byte {
	return append(append(append([]byte{kindLabel}, key...), 0), append([]byte(value), 0)...)
}

func (e *engine) Append(_ int, samples []dataset.Sample) error {
	b := e.db.NewBatchWithSize(len(samples) * 28)
	defer b.Close()
	for _, s := range samples {
		op := b.SetDeferred(sampleKey, 8)
		op.Key[0] = kindSample
		binary.BigEndian.PutUint32(op.Key[1:], s.Series)
		binary.BigEndian.PutUint64(op.Key[5:], uint64(s.Millis))
		binary.LittleEndian.PutUint64(op.Value, math.Float64bits(s.Value))
		if err := op.Finish(); err != nil {
			return err
		}
	}
	return b.Commit(e.commit)
}

func (e *engine) Settle() error {
	if err := e.db.Flush(); err != nil {
		return err
	}
	return e.db.Compact(context.Background(), []byte{kindLabel}, []byte{kindSample + 1}, true)
}

func appendSampleKey(dst []byte, series uint32, millis int64) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, kindSample), series)
	return binary.BigEndian.AppendUint64(dst, uint64(millis))
}

func (e *engine) Scan(s target.Selection, from, to int64, emit func([]int64, []float64)) error {
	ids := []uint32{uint32(s.Series)}
	if s.Key != "" {
		ids = ids[:0]
		if err := e.eachLabelled(s.Key, s.Value, func(id uint32, _ []byte) { ids = append(ids, id) }); err != nil {
			return err
		}
	}
	it, err := e.db.NewIter(nil)
	if err != nil {
		return err
	}
	defer it.Close()
	for _, id := range ids {
		it.SetBounds(appendSampleKey(nil, id, from), appendSampleKey(nil, id, to+1))
		if err := e.emitSeries(it, emit); err != nil {
			return err
		}
	}
	return nil
}

func (e *engine) emitSeries(it *pebble.Iterator, emit func([]int64, []float64)) error {
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if n == len(e.times) {
			emit(e.times[:], e.values[:])
			n = 0
		}
		e.times[n] = int64(binary.BigEndian.Uint64(it.Key()[5:]))
		e.values[n] = math.Float64frombits(binary.LittleEndian.Uint64(v))
		n++
	}
	if n > 0 {
		emit(e.times[:n], e.values[:n])
	}
	return it.Error()
}

func (e *engine) eachLabelled(key, value string, f func(id uint32, names []byte)) error {
	prefix := labelPrefix(key, value)
	end := append(append([]byte{}, prefix[:len(prefix)-1]...), 1)
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: end})
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		names, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		f(binary.BigEndian.Uint32(it.Key()[len(prefix):]), names)
	}
	return it.Error()
}

func (e *engine) Lookup(key, value string) (series, nameBytes int, err error) {
	err = e.eachLabelled(key, value, func(_ uint32, names []byte) {
		series++
		nameBytes += len(names) - 4 // less the separators
	})
	return series, nameBytes, err
}

func (e *engine) Unit() time.Duration { return time.Millisecond }

// Version implements target.Versioned.
func (e *engine) Version() (string, error) {
	v, err := target.ModuleVersion("github.com/cockroachdb/pebble/v2")
	return "pebble " + v, err
}

func (e *engine) Close() error { return e.db.Close() }

func main() { target.Main("naive", &engine{}) }
