package suite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/telemetrydb/tsdb/bench/target"
)

const (
	removeLimit = 30 * time.Second // of taking data away from a server that others run
	ackPoll     = 2 * time.Millisecond
)

// remove takes away the store of a job, also at a server that others run.
func (s *session) remove(j job, store string) error {
	if err := os.RemoveAll(store); err != nil {
		return err
	}
	if s.o.URIs[j.target.Name] == "" {
		return nil
	}
	s.touched = true
	p, err := s.launch(s.binary(j.target.Name), s.args(j, store, "remove")...)
	if err != nil {
		return err
	}
	// Also when the run is interrupted: what is at others' servers is to be removed then too.
	return p.wait(context.Background(), removeLimit)
}

// removeAll takes away everything that this run may have left at servers that others run.
func (s *session) removeAll() (err error) {
	if !s.touched {
		return nil
	}
	for _, t := range s.targets {
		for _, set := range s.sets {
			if s.o.URIs[t.Name] == "" || s.broken[t.Name] || s.tooLarge(t, set) {
				continue
			}
			for _, scratch := range []bool{false, true} {
				j := job{target: t, set: set, writers: 1, batch: usualBatch, scratch: scratch}
				err = errors.Join(err, s.remove(j, s.stores()+"/"+s.storeName(j)))
			}
		}
	}
	s.touched = false
	return err
}

// crash kills the writing process with SIGKILL, and with it its server, as soon as it has acknowledged a part of the samples, and then asks a
// new process what is left. All targets are killed at the same number of samples.
func (s *session) crash(ctx context.Context, j job, store string) (*target.Result, error) {
	ack := store + ".ack"
	defer os.Remove(ack)
	if err := os.WriteFile(ack, nil, 0o644); err != nil {
		return nil, err
	}
	writer, err := s.launch(s.binary(j.target.Name), s.args(j, store, "crash-write", "-ack", ack)...)
	if err != nil {
		return nil, err
	}
	if err := s.killAt(ctx, writer, ack, int64(s.o.KillAt*float64(j.set.Samples))); err != nil {
		return nil, err
	}
	return s.phase(ctx, j, store, "crash-check", "-ack", ack)
}

func (s *session) killAt(ctx context.Context, writer *process, ack string, due int64) error {
	limited, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	for target.Acknowledged(ack) < due {
		select {
		case err := <-writer.ended:
			if left := sweep(); left != nil {
				return left
			}
			return &failure{err: fmt.Errorf("the writer ended by itself: %w", err), words: lastWords(writer.err), code: -1}
		case <-limited.Done():
			return writer.wait(limited, s.o.Timeout)
		case <-time.After(ackPoll):
		}
	}
	if err := writer.cmd.Process.Kill(); err != nil {
		return err
	}
	<-writer.ended
	return sweep()
}

func readResult(path string) (*target.Result, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(target.Result)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("it printed no result: %w", err)
	}
	return r, nil
}
