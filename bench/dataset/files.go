package dataset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A prepared set is a directory of
//
//	series.tsv               id, metric, resource, project, host, group, class: one line a series
//	meta.txt                 key=value: name, series, samples, mint, maxt, step (times in ms)
//	rows.bin                 every sample, in time order, then in the order of series
//	rows.0.bin, rows.1.bin   the samples of the series with an even and with an odd id
//
// and a row is, little-endian,
//
//	bytes   field
//	0-4     series id, uint32
//	4-12    time, int64 milliseconds since the Unix epoch
//	12-20   value, IEEE 754 bits
const rowBytes = 20

const (
	seriesFile = "series.tsv"
	metaFile   = "meta.txt"
)

// Part chooses which series of a set to read.
type Part int

// The parts: all series, and the halves that two writers share out.
const (
	All  Part = -1
	Even Part = 0
	Odd  Part = 1
)

func (p Part) file() string {
	if p == All {
		return "rows.bin"
	}
	return fmt.Sprintf("rows.%d.bin", int(p))
}

// Sample is one row.
type Sample struct {
	Series uint32
	Millis int64 // since the Unix epoch
	Value  float64
}

// Series is what is known about a series besides its samples. ID is its place in Set.Series.
type Series struct {
	ID                                            uint32
	Metric, Resource, Project, Host, Group, Class string
}

// Set is a prepared data set.
type Set struct {
	Dir                  string
	Name                 string
	Samples              int64
	MinMillis, MaxMillis int64
	StepMillis           int64
	Series               []Series
}

// Writer makes a prepared set. Errors of Add show at Close.
type Writer struct {
	set   Set
	files [3]*os.File
	out   [3]*bufio.Writer
	err   error
}

// Create makes the directory and begins a set. The caller must Close the Writer.
func Create(dir, name string, stepMillis int64, series []Series) (*Writer, error) {
	w := &Writer{set: Set{Dir: dir, Name: name, StepMillis: stepMillis, Series: series,
		MinMillis: math.MaxInt64, MaxMillis: math.MinInt64}}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	// An interrupted run must not look complete: meta.txt is written last.
	if err := os.Remove(filepath.Join(dir, metaFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for i, p := range []Part{All, Even, Odd} {
		f, err := os.Create(filepath.Join(dir, p.file()))
		if err != nil {
			return nil, err
		}
		w.files[i], w.out[i] = f, bufio.NewWriterSize(f, 1<<20)
	}
	return w, nil
}

// Add appends a sample. Samples must come in time order.
func (w *Writer) Add(s Sample) {
	var b [rowBytes]byte
	binary.LittleEndian.PutUint32(b[0:], s.Series)
	binary.LittleEndian.PutUint64(b[4:], uint64(s.Millis))
	binary.LittleEndian.PutUint64(b[12:], math.Float64bits(s.Value))
	for _, out := range []*bufio.Writer{w.out[0], w.out[1+s.Series%2]} {
		if _, err := out.Write(b[:]); err != nil && w.err == nil {
			w.err = err
		}
	}
	w.set.Samples++
	w.set.MinMillis, w.set.MaxMillis = min(w.set.MinMillis, s.Millis), max(w.set.MaxMillis, s.Millis)
}

// Close finishes the set.
func (w *Writer) Close() error {
	errs := []error{w.err}
	for i := range w.files {
		errs = append(errs, w.out[i].Flush(), w.files[i].Close())
	}
	var tsv strings.Builder
	for _, s := range w.set.Series {
		fmt.Fprintf(&tsv, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Metric, s.Resource, s.Project, s.Host, s.Group, s.Class)
	}
	errs = append(errs, os.WriteFile(filepath.Join(w.set.Dir, seriesFile), []byte(tsv.String()), 0o644))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s := w.set
	meta := fmt.Sprintf("name=%s\nseries=%d\nsamples=%d\nmint=%d\nmaxt=%d\nstep=%d\n",
		s.Name, len(s.Series), s.Samples, s.MinMillis, s.MaxMillis, s.StepMillis)
	return os.WriteFile(filepath.Join(s.Dir, metaFile), []byte(meta), 0o644)
}

// abandon closes the files of a set that stays unfinished.
func (w *Writer) abandon() error {
	var errs []error
	for _, f := range w.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Open reads the description of a prepared set. The error is os.ErrNotExist if there is none or it is unfinished.
func Open(dir string) (*Set, error) {
	text, err := os.ReadFile(filepath.Join(dir, metaFile))
	if err != nil {
		return nil, err
	}
	s := &Set{Dir: dir}
	count := int64(0)
	numbers := map[string]*int64{"series": &count, "samples": &s.Samples, "mint": &s.MinMillis,
		"maxt": &s.MaxMillis, "step": &s.StepMillis}
	for _, line := range strings.Fields(string(text)) {
		key, value, _ := strings.Cut(line, "=")
		if key == "name" {
			s.Name = value
		} else if n := numbers[key]; n != nil {
			if *n, err = strconv.ParseInt(value, 10, 64); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", dir, metaFile, err)
			}
		}
	}
	if s.Series, err = ReadSeries(filepath.Join(dir, seriesFile)); err != nil {
		return nil, err
	}
	if int64(len(s.Series)) != count {
		return nil, fmt.Errorf("%s: %d series, %s says %d", dir, len(s.Series), metaFile, count)
	}
	return s, nil
}

// ReadSeries reads a series.tsv. Ids must count from 0.
func ReadSeries(path string) ([]Series, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []Series
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 7 || f[0] != strconv.Itoa(len(out)) {
			return nil, fmt.Errorf("%s: line %d: %q", path, len(out)+1, line)
		}
		out = append(out, Series{uint32(len(out)), f[1], f[2], f[3], f[4], f[5], f[6]})
	}
	return out, nil
}

// Reader streams the samples of a part.
type Reader struct {
	file *os.File
	in   *bufio.Reader
	// Of the series those count whose id leaves the remainder share when divided by shares; 0: all.
	share, shares uint32
}

// Read opens a part of the set. The caller must Close the Reader.
func (s *Set) Read(part Part) (*Reader, error) {
	f, err := os.Open(filepath.Join(s.Dir, part.file()))
	if err != nil {
		return nil, err
	}
	return &Reader{file: f, in: bufio.NewReaderSize(f, 1<<18)}, nil
}

// Share opens what the i-th of n writers has of the set: series whose ids leave the remainder i. The caller must Close the Reader.
func (s *Set) Share(i, n int) (*Reader, error) {
	switch n {
	case 1:
		return s.Read(All)
	case 2:
		return s.Read(Part(i))
	}
	r, err := s.Read(All)
	if err == nil {
		r.share, r.shares = uint32(i), uint32(n)
	}
	return r, err
}

// Next fills dst and returns how many samples it put there; 0 at the end.
func (r *Reader) Next(dst []Sample) (int, error) {
	for n := 0; n < len(dst); {
		b, err := r.in.Peek(rowBytes)
		if err == io.EOF && len(b) == 0 {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("%s: %w", r.file.Name(), err)
		}
		dst[n] = Sample{
			Series: binary.LittleEndian.Uint32(b),
			Millis: int64(binary.LittleEndian.Uint64(b[4:])),
			Value:  math.Float64frombits(binary.LittleEndian.Uint64(b[12:])),
		}
		_, _ = r.in.Discard(rowBytes)
		if r.shares == 0 || dst[n].Series%r.shares == r.share {
			n++
		}
	}
	return len(dst), nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

// Columns reads a whole set into one pair of columns a series: times in milliseconds, and values.
func (s *Set) Columns() (times [][]int64, values [][]float64, err error) {
	r, err := s.Read(All)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	times, values = make([][]int64, len(s.Series)), make([][]float64, len(s.Series))
	rows := make([]Sample, 4096)
	for {
		n, err := r.Next(rows)
		if err != nil || n == 0 {
			return times, values, err
		}
		for _, x := range rows[:n] {
			times[x.Series] = append(times[x.Series], x.Millis)
			values[x.Series] = append(values[x.Series], x.Value)
		}
	}
}
