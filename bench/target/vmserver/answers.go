package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/bench/promwire"
	"github.com/telemetrydb/tsdb/bench/remote"
)

const (
	mergeLimit = 10 * time.Minute
	mergePoll  = 50 * time.Millisecond
	quietPolls = 2 // a merge begins some moments after its request was answered
)

// awaitMerges waits until no merge runs.
func (s *server) awaitMerges() error {
	quiet := 0
	for deadline := time.Now().Add(mergeLimit); quiet < quietPolls; time.Sleep(mergePoll) {
		text, err := s.Reader().Get("/metrics")
		if err != nil {
			return err
		}
		n, err := activeMerges(text)
		if err != nil {
			return err
		}
		if quiet++; n > 0 {
			quiet = 0
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%v merges still run after %v", n, mergeLimit)
		}
	}
	return nil
}

// activeMerges adds up how many merges of samples run, the forced ones too, out of the server's own metrics.
func activeMerges(metrics []byte) (n float64, err error) {
	found := 0
	for line := range bytes.Lines(metrics) {
		i := bytes.LastIndexByte(line, ' ')
		if i < 0 || !bytes.HasPrefix(line, []byte("vm_active_merges{")) && !bytes.HasPrefix(line, []byte("vm_active_force_merges ")) {
			continue
		}
		v, err := strconv.ParseFloat(string(bytes.TrimSpace(line[i:])), 64)
		if err != nil {
			return 0, err
		}
		n += v
		found++
	}
	if found < 2 {
		return 0, errors.New("the server's metrics don't tell what merges run")
	}
	return n, nil
}

// exportQuery asks for raw samples; both ends count.
func exportQuery(selector string, from, to int64) string {
	return url.Values{"match[]": {selector}, "start": {promwire.Seconds(from)}, "end": {promwire.Seconds(to)}, "reduce_mem_usage": {"0"}}.Encode()
}

// readExport emits the series of an export: a line of JSON each, with the arrays values and timestamps.
func (s *server) readExport(answer []byte, emit func([]int64, []float64)) error {
	for line := range bytes.Lines(answer) {
		r := remote.NewReader(line)
		s.times, s.values = s.times[:0], s.values[:0]
		if !r.Skip(`"values":[`) {
			return fmt.Errorf("no values in %.200s", line)
		}
		for first := true; !r.Is(']') && r.Err() == nil; first = false {
			if !first {
				r.Want(',')
			}
			s.values = append(s.values, r.Number())
		}
		if !r.Skip(`"timestamps":[`) && r.Err() == nil {
			return fmt.Errorf("no times in %.200s", line)
		}
		for first := true; !r.Is(']') && r.Err() == nil; first = false {
			if !first {
				r.Want(',')
			}
			s.times = append(s.times, r.Whole())
		}
		if r.Err() != nil {
			return r.Err()
		}
		if len(s.times) != len(s.values) {
			return fmt.Errorf("%d times, %d values", len(s.times), len(s.values))
		}
		emit(s.times, s.values)
	}
	return nil
}
