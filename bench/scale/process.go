package scale

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// figures are what a phase measured, by name.
type figures map[string]float64

// exec runs the phase in a process of its own.
func (p phase) exec(ctx context.Context, profile bool) (figures, error) {
	var more []string
	if profile {
		more = []string{"-cpuprofile", p.Dir + "." + p.Name + ".prof"}
	}
	_, out, err := p.process(ctx, 0, more...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	var got figures
	return got, json.Unmarshal(out, &got)
}

// execKilled runs the phase until it has acknowledged so many samples, and then kills it. What it said last comes back.
func (p phase) execKilled(ctx context.Context, at int64) (figures, error) {
	last, _, err := p.process(ctx, at)
	var exit *exec.ExitError
	if ctx.Err() == nil && errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return last, nil
	}
	return nil, fmt.Errorf("%s ended before it was killed: %w", p.Name, errors.Join(ctx.Err(), err))
}

// process runs this program again with the phase, and kills it when it has acknowledged killAt samples, if that is not 0.
func (p phase) process(ctx context.Context, killAt int64, more ...string) (last figures, out []byte, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	description, err := json.Marshal(p)
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(os.Stderr, "%s %s %s\n", time.Now().Format(time.TimeOnly), p.Name, p.Dir)
	cmd := exec.CommandContext(ctx, self, append([]string{"-phase", string(description)}, more...)...)
	runtime.LockOSThread() // Linux sends the signal when the thread ends that started the process
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := cmd.StderrPipe()
	if err != nil {
		return nil, nil, err
	}
	var printed bytes.Buffer
	cmd.Stdout = &printed
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	last = figures{}
	for lines, killed := bufio.NewScanner(said), false; lines.Scan(); {
		var acked, log, head int64
		if n, _ := fmt.Sscanf(lines.Text(), told, &acked, &log, &head); n != 3 {
			fmt.Fprintln(os.Stderr, lines.Text())
			continue
		}
		last["acknowledged"], last["log bytes"], last["head bytes"] = float64(acked), float64(log), float64(head)
		if killAt > 0 && acked >= killAt && !killed {
			killed = true
			if err := cmd.Process.Kill(); err != nil {
				return nil, nil, errors.Join(err, cmd.Wait())
			}
		}
	}
	err = cmd.Wait()
	return last, printed.Bytes(), err
}

// made is what a file beside a catalogue says, until somebody uses it: how it was made and what that cost.
type made struct {
	Phase phase
	Cost  figures
}

func (p phase) madeFile() string { return filepath.Join(p.Dir, "made.json") }

// prepared takes a catalogue that an earlier run has prepared and nobody has used. No error and no figures: there is none, and what a run
// left there that was killed is removed.
func (p phase) prepared() (figures, error) {
	text, err := os.ReadFile(p.madeFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil, os.RemoveAll(p.Dir)
	}
	if err != nil {
		return nil, err
	}
	var m made
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", p.madeFile(), err)
	}
	m.Phase.out, m.Phase.ctx = nil, nil
	if want, err := json.Marshal(p); err != nil {
		return nil, err
	} else if had, err := json.Marshal(m.Phase); err != nil || !bytes.Equal(had, want) {
		return nil, fmt.Errorf("%s was prepared as %s, want %s: remove it first", p.Dir, had, want)
	}
	return m.Cost, os.Remove(p.madeFile())
}

// note leaves the catalogue for the next run.
func (p phase) note(cost figures) error {
	text, err := json.Marshal(made{p, cost})
	if err != nil {
		return err
	}
	return os.WriteFile(p.madeFile(), text, 0o644)
}
