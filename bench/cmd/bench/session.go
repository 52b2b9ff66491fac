package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/dataset/realdata"
	"github.com/telemetrydb/tsdb/bench/report"
	"github.com/telemetrydb/tsdb/bench/target"
)

// packages says where each engine's adapter is.
var packages = map[string]string{
	"tsdb": "tsdb", "prometheus": "prometheus", "victoriametrics": "vm", "naive": "naive", "null": "null",
}

// syncing are the engines that can put each batch on stable storage.
var syncing = []string{"tsdb", "naive"}

const realStepMillis = 300_000

// session is one comparison.
type session struct {
	sets, engines, phases []string
	rounds                int
	work                  string
	seriesPath, ptsPath   string
	install               bool
	killAt                float64
	out                   io.Writer

	lines   *os.File
	results report.Results
}

// run builds and prepares everything, then measures. It returns what was measured even if a phase failed, and a note for each
// engine that was not run.
func (s *session) run(linesPath string) (rs report.Results, missing []string, err error) {
	if err := os.MkdirAll(filepath.Join(s.work, "bin"), 0o755); err != nil {
		return nil, nil, err
	}
	var engines []string
	for _, e := range s.engines {
		if err := s.build(e); err != nil {
			missing = append(missing, fmt.Sprintf("%s: not run: %v", e, err))
			continue
		}
		engines = append(engines, e)
	}
	s.engines = engines
	for _, set := range s.sets {
		if err := s.prepare(set); err != nil {
			return nil, missing, fmt.Errorf("set %s: %w", set, err)
		}
	}
	if s.lines, err = os.OpenFile(linesPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
		return nil, missing, err
	}
	defer s.lines.Close()
	var errs []error
	for round := 1; round <= s.rounds; round++ {
		for _, set := range s.sets {
			for _, engine := range s.engines {
				if err := s.turn(engine, set, round); err != nil {
					errs = append(errs, fmt.Errorf("%s on %s: %w", engine, set, err))
				}
			}
		}
	}
	return s.results, missing, errors.Join(errs...)
}

func (s *session) binary(engine string) string { return filepath.Join(s.work, "bin", engine) }

func (s *session) build(engine string) error {
	folder, ok := packages[engine]
	if !ok {
		return errors.New("no such engine")
	}
	binary, err := filepath.Abs(s.binary(engine))
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-o", binary, "./target/"+folder)
	if engine == "victoriametrics" {
		cmd = exec.Command("./target/vm/build.sh", binary)
		if s.install {
			cmd.Args = append(cmd.Args, "install")
		}
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(text))
	}
	return nil
}

func (s *session) prepare(set string) error {
	dir := filepath.Join(s.work, set)
	if _, err := dataset.Prepared(dir, set); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if s.ptsPath == "" || s.seriesPath == "" {
		return errors.New("give -series and -pts")
	}
	return realdata.Prepare(dir, set, realStepMillis, s.seriesPath, s.ptsPath)
}

// turn runs all phases of one engine on one set.
func (s *session) turn(engine, set string, round int) error {
	store := filepath.Join(s.work, "store-"+engine)
	defer os.RemoveAll(store)
	for _, phase := range s.phases {
		var err error
		switch phase {
		case "ingest":
			err = s.fresh(store, func() error { return s.phase(engine, set, store, round, "ingest", "1", "-writers", "1") })
		case "query":
			err = s.phase(engine, set, store, round, "query", "")
		case "verify":
			if round == 1 { // once is enough: the bytes are the same in every round
				err = s.phase(engine, set, store, round, "verify", "")
			}
		case "ingest2":
			err = s.fresh(store, func() error { return s.phase(engine, set, store, round, "ingest", "2", "-writers", "2") })
		case "fsync":
			if slices.Contains(syncing, engine) {
				err = s.fresh(store, func() error { return s.phase(engine, set, store, round, "ingest", "fsync", "-fsync") })
			}
		case "crash":
			err = s.fresh(store, func() error { return s.crash(engine, set, store, round) })
		default:
			err = errors.New("no such phase")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", phase, err)
		}
	}
	return nil
}

func (s *session) fresh(store string, f func() error) error {
	if err := os.RemoveAll(store); err != nil {
		return err
	}
	return f()
}

func (s *session) command(engine, set, store, phase string, more ...string) *exec.Cmd {
	args := append([]string{"-phase", phase, "-data", filepath.Join(s.work, set), "-store", store}, more...)
	cmd := exec.Command(s.binary(engine), args...)
	cmd.Stderr = os.Stderr
	return cmd
}

// phase runs one phase as a process and keeps its result line.
func (s *session) phase(engine, set, store string, round int, phase, variant string, more ...string) error {
	more = append([]string{"-variant", variant, "-round", strconv.Itoa(round)}, more...)
	line, err := s.command(engine, set, store, phase, more...).Output()
	if err != nil {
		return err
	}
	var r target.Result
	if err := json.Unmarshal(line, &r); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "round %d  %-3s %-16s %-12s %s\n", round, set, engine, phase, variant)
	s.results = append(s.results, r)
	_, err = s.lines.Write(line)
	return err
}

// crash kills the writing process with SIGKILL as soon as it has acknowledged a part of the samples, and then asks a new process
// what is left. All engines are killed at the same number of samples.
func (s *session) crash(engine, set, store string, round int) error {
	info, err := dataset.Open(filepath.Join(s.work, set))
	if err != nil {
		return err
	}
	ack := store + ".ack"
	defer os.Remove(ack)
	if err := os.WriteFile(ack, nil, 0o644); err != nil {
		return err
	}
	writer := s.command(engine, set, store, "crash-write", "-ack", ack)
	if err := writer.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- writer.Wait() }()
	for due := int64(s.killAt * float64(info.Samples)); target.Acknowledged(ack) < due; {
		select {
		case err := <-ended:
			return fmt.Errorf("writer ended by itself: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	if err := writer.Process.Kill(); err != nil {
		return err
	}
	<-ended
	return s.phase(engine, set, store, round, "crash-check", "", "-ack", ack)
}
