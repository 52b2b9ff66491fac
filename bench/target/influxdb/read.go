package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/telemetrydb/tsdb/bench/target"
)

// where is the condition for a selection of series.
func (s *server) where(sel target.Selection) string {
	if sel.Key != "" {
		return fmt.Sprintf("%q = %s", sel.Key, text(sel.Value))
	}
	one := s.set.Series[sel.Series]
	return fmt.Sprintf(`"meter" = %s AND "resource" = %s`, text(one.Metric), text(one.Resource))
}

func during(from, to int64) string {
	return fmt.Sprintf(" AND time >= %dms AND time <= %dms", from, to)
}

// query returns the lines of CSV that answer a question, times in milliseconds.
func (s *server) query(question string) ([]byte, error) {
	q := url.Values{"db": {database}, "epoch": {"ms"}, "q": {question}}
	answer, err := s.Reader().Get("/query?" + q.Encode())
	if err != nil {
		return nil, err
	}
	return answer, refused(answer)
}

// refused is the error in an answer, which has the status of a success.
func refused(answer []byte) error {
	if rest, ok := bytes.CutPrefix(answer, []byte("error\n")); ok {
		return fmt.Errorf("influxd: %.300s", bytes.TrimSpace(rest))
	}
	return nil
}

// ask is for short answers: their rows, headers among them.
func (s *server) ask(q url.Values) ([][]string, error) {
	answer, err := s.Reader().Get("/query?" + q.Encode())
	if err != nil {
		return nil, err
	}
	if err := refused(answer); err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(answer))
	r.FieldsPerRecord = -1
	return r.ReadAll()
}

func (s *server) Scan(sel target.Selection, from, to int64, emit func([]int64, []float64)) error {
	question := "SELECT value FROM sample WHERE " + s.where(sel) + during(from, to)
	if sel.Key != "" {
		question += " GROUP BY *" // a series after the other
	}
	return s.samples(question, emit)
}

// Newest implements target.Lister.
func (s *server) Newest(series, n int, emit func([]int64, []float64)) error {
	return s.samples(fmt.Sprintf("SELECT value FROM sample WHERE %s ORDER BY time DESC LIMIT %d", s.where(target.Selection{Series: series}), n), emit)
}

func (s *server) samples(question string, emit func([]int64, []float64)) error {
	answer, err := s.query(question)
	if err != nil {
		return err
	}
	var series []byte
	s.times, s.values = s.times[:0], s.values[:0]
	flush := func() {
		if len(s.times) > 0 {
			emit(s.times, s.values)
		}
		s.times, s.values = s.times[:0], s.values[:0]
	}
	for line := range bytes.Lines(answer) {
		head, millis, value, err := point(line)
		if err != nil {
			return err
		}
		if head == nil {
			continue
		}
		if !bytes.Equal(head, series) {
			flush()
			series = head
		}
		s.times, s.values = append(s.times, millis), append(s.values, value)
	}
	flush()
	return nil
}

// point reads a line: name and tags, of which the latter may be quoted and have commas, time, value. A header has no head.
func point(line []byte) (head []byte, millis int64, value float64, err error) {
	line = bytes.TrimRight(line, "\n")
	if len(line) == 0 || bytes.HasPrefix(line, []byte("name,tags,")) {
		return nil, 0, 0, nil
	}
	v := bytes.LastIndexByte(line, ',')
	t := bytes.LastIndexByte(line[:max(v, 0)], ',')
	if t < 0 {
		return nil, 0, 0, fmt.Errorf("no sample: %.200s", line)
	}
	millis, err = strconv.ParseInt(textOf(line[t+1:v]), 10, 64)
	if err == nil {
		value, err = strconv.ParseFloat(textOf(line[v+1:]), 64)
	}
	if err != nil {
		return nil, 0, 0, fmt.Errorf("no sample: %.200s", line)
	}
	return line[:t], millis, value, nil
}

// textOf is b as a string that is not kept.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Means implements target.Averager.
func (s *server) Means(series int, from, to int64, width time.Duration) (n int, sum float64, err error) {
	return s.means(target.Selection{Series: series}, from, to, width)
}

// GroupMeans implements target.GroupAverager.
func (s *server) GroupMeans(key, value string, from, to int64, width time.Duration) (n int, sum float64, err error) {
	return s.means(target.Selection{Key: key, Value: value}, from, to, width)
}

func (s *server) means(sel target.Selection, from, to int64, width time.Duration) (n int, sum float64, err error) {
	question := fmt.Sprintf("SELECT mean(value) FROM sample WHERE %s%s GROUP BY time(%dms) fill(none)", s.where(sel), during(from, to), width.Milliseconds())
	err = s.samples(question, func(_ []int64, values []float64) {
		for _, v := range values {
			n, sum = n+1, sum+v
		}
	})
	return n, sum, err
}

func (s *server) Lookup(key, value string) (series, nameBytes int, err error) {
	rows, err := s.ask(url.Values{"db": {database}, "q": {"SHOW SERIES FROM sample WHERE " + s.where(target.Selection{Key: key, Value: value})}})
	if err != nil {
		return 0, 0, err
	}
	for _, row := range rows {
		if len(row) != 3 {
			return 0, 0, errors.New("a list of series has a row " + strings.Join(row, ","))
		}
		if row[2] != "key" {
			series++
			nameBytes += tagBytes(row[2])
		}
	}
	return series, nameBytes, nil
}
