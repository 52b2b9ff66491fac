package prometheus

import (
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/snappy"
)

// DecodeV2 is Decode of version 2 of the protocol: io.prometheus.write.v2.Request, in which texts are said once.
func (r *Request) DecodeV2(body []byte, limit int64) error {
	*r = Request{Refused: map[string]int{}}
	if _, err := Length(body, limit); err != nil {
		return err
	}
	message, err := snappy.Decode(nil, body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return r.decodeV2(message)
}

// The fields of a Request and of its TimeSeries.
const (
	v2Symbols    = 4
	v2Series     = 5
	v2LabelRefs  = 1
	v2Samples    = 2
	v2Histograms = 3
)

// maxSymbols is how many texts a request may say: two bytes can make one, which takes twelve times as much.
const maxSymbols = 1 << 19

func (r *Request) decodeV2(message []byte) error {
	var symbols [][]byte
	err := eachField(message, func(f *field) error { // first, wherever they are
		if yes, err := f.is(v2Symbols, kindBytes); !yes {
			return err
		}
		if len(symbols) == maxSymbols {
			return fmt.Errorf("%w: more than %d symbols", ErrLarge, maxSymbols)
		}
		symbols = append(symbols, f.bytes)
		return nil
	})
	if err != nil {
		return err
	}
	if len(symbols) > 0 && len(symbols[0]) > 0 {
		return fmt.Errorf("%w: the first symbol is not empty", ErrFormat)
	}
	places := map[place]int{}
	var one timeSeries
	total := 0
	return eachField(message, func(f *field) error {
		if yes, err := f.is(v2Series, kindBytes); !yes {
			return err
		}
		if err := one.decodeV2(f.bytes, symbols); err != nil {
			return err
		}
		if total += len(one.samples); total > maxSamples {
			return fmt.Errorf("%w: more than %d samples", ErrLarge, maxSamples)
		}
		r.add(&one, places)
		return nil
	})
}

func (s *timeSeries) decodeV2(message []byte, symbols [][]byte) error {
	*s = timeSeries{resource: Resource{noLabel, noLabel}, samples: s.samples[:0]}
	refs := labelRefs{series: s, symbols: symbols}
	err := eachField(message, func(f *field) error {
		switch {
		case f.number == v2LabelRefs && f.kind == kindVarint:
			return refs.add(f.value)
		case f.number == v2LabelRefs:
			if _, err := f.is(v2LabelRefs, kindBytes); err != nil {
				return err
			}
			return refs.addAll(f.bytes)
		case f.number == v2Samples:
			if _, err := f.is(v2Samples, kindBytes); err != nil {
				return err
			}
			return s.sample(f.bytes)
		case f.number == v2Histograms:
			s.histograms++
		}
		return nil
	})
	if err == nil && refs.odd {
		err = fmt.Errorf("%w: a label without a value", ErrFormat)
	}
	return err
}

// labelRefs takes the numbers of symbols that are name and value of labels by turns.
type labelRefs struct {
	series  *timeSeries
	symbols [][]byte
	name    []byte
	odd     bool // name has no value yet
}

// addAll takes packed numbers.
func (l *labelRefs) addAll(b []byte) error {
	for len(b) > 0 {
		ref, n := binary.Uvarint(b)
		if n <= 0 {
			return fmt.Errorf("%w: labels are cut short", ErrFormat)
		}
		if err := l.add(ref); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func (l *labelRefs) add(ref uint64) error {
	if ref >= uint64(len(l.symbols)) {
		return fmt.Errorf("%w: symbol %d of %d", ErrFormat, ref, len(l.symbols))
	}
	symbol := l.symbols[ref]
	if l.odd {
		l.series.set(l.name, symbol)
	}
	l.name, l.odd = symbol, !l.odd
	return nil
}
