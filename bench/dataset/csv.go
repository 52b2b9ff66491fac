package dataset

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// csvColumns is the header that FromCSV wants.
var csvColumns = []string{"time", "series", "value"}

// FromCSV makes the set name in dir from a file of comma-separated values with the header time,series,value. A time is RFC 3339 or Unix seconds,
// with a fraction or without, and counts to the millisecond; rows may be in any order, but of a series each time comes once. A series is named
// RESOURCE/METRIC, or just so. An error names line and column.
func FromCSV(dir, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	t := trace{numbers: map[string]int{}}
	if err := t.read(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for i := range t.times {
		if at := t.sort(i); at >= 0 {
			return fmt.Errorf("%s: line %d, column time: the series %q has this time already", path, at, t.names[i])
		}
	}
	return FromColumns(dir, name, t.step(), t.series(), t.times, t.values)
}

// trace gathers the rows of a file by series.
type trace struct {
	numbers map[string]int // of series
	names   []string
	times   [][]int64
	values  [][]float64
	lines   [][]int
}

func (t *trace) read(in io.Reader) error {
	r := csv.NewReader(in)
	r.FieldsPerRecord, r.ReuseRecord = len(csvColumns), true
	header, err := r.Read()
	if err != nil && !errors.Is(err, csv.ErrFieldCount) {
		return fmt.Errorf("header: %w", err)
	}
	if !slices.Equal(header, csvColumns) {
		return fmt.Errorf("line 1: header %q, want %s", strings.Join(header, ","), strings.Join(csvColumns, ","))
	}
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err // names line and column
		}
		line, _ := r.FieldPos(0)
		if column, err := t.add(line, row); err != nil {
			return fmt.Errorf("line %d, column %s: %w", line, csvColumns[column], err)
		}
	}
	if len(t.names) == 0 {
		return errors.New("no rows")
	}
	return nil
}

// add takes a row, or tells which column is bad.
func (t *trace) add(line int, row []string) (column int, err error) {
	millis, err := parseTime(row[0])
	if err != nil {
		return 0, err
	}
	name := row[1]
	if strings.TrimSpace(name) == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return 1, fmt.Errorf("%q is no name of a series", name)
	}
	value, err := strconv.ParseFloat(row[2], 64)
	if err != nil {
		return 2, fmt.Errorf("%q is no number", row[2])
	}
	i, known := t.numbers[name]
	if !known {
		i = len(t.names)
		name = strings.Clone(name)
		t.numbers[name], t.names = i, append(t.names, name)
		t.times, t.values, t.lines = append(t.times, nil), append(t.values, nil), append(t.lines, nil)
	}
	t.times[i], t.values[i], t.lines[i] = append(t.times[i], millis), append(t.values[i], value), append(t.lines[i], line)
	return 0, nil
}

// parseTime gives milliseconds since the Unix epoch.
func parseTime(text string) (int64, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(math.Abs(seconds) < 1<<40) {
			return 0, fmt.Errorf("%q is no time in Unix seconds", text)
		}
		return int64(math.Round(seconds * 1000)), nil
	}
	when, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, fmt.Errorf("%q is neither RFC 3339 nor Unix seconds", text)
	}
	return when.UnixMilli(), nil
}

// sort puts a series in the order of its times. It returns the line of a time that comes twice, or -1.
func (t *trace) sort(i int) (line int) {
	times, values, lines := t.times[i], t.values[i], t.lines[i]
	order := make([]int, len(times))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(times[a], times[b]) })
	sortedTimes, sortedValues := make([]int64, len(order)), make([]float64, len(order))
	for k, from := range order {
		sortedTimes[k], sortedValues[k] = times[from], values[from]
		if k > 0 && sortedTimes[k] == sortedTimes[k-1] {
			return lines[from]
		}
	}
	t.times[i], t.values[i] = sortedTimes, sortedValues
	return -1
}

// step is the median distance between the samples of a series.
func (t *trace) step() int64 {
	var deltas []int64
	for _, times := range t.times {
		for k := 1; k < len(times); k++ {
			deltas = append(deltas, times[k]-times[k-1])
		}
	}
	if len(deltas) == 0 {
		return 1000
	}
	slices.Sort(deltas)
	return deltas[len(deltas)/2]
}

// series puts resources into ten projects, and a tenth of many series, or all of few, into group a.
func (t *trace) series() (out []Series) {
	resources := map[string]int{}
	for i, name := range t.names {
		resource, metric, both := strings.Cut(name, "/")
		if !both {
			resource, metric = name, name
		}
		n, known := resources[resource]
		if !known {
			n = len(resources)
			resources[resource] = n
		}
		s := Series{ID: uint32(i), Metric: metric, Resource: resource, Project: fmt.Sprintf("project-%d", n%10), Host: "none", Group: "b", Class: "unknown"}
		if len(t.names) <= 1000 || i%10 == 3 {
			s.Group = "a"
		}
		out = append(out, s)
	}
	return out
}
