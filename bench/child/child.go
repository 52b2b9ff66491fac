package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

const (
	startLimit = 30 * time.Second
	stopLimit  = 60 * time.Second
	killLimit  = 10 * time.Second // after SIGKILL, which a process in a disk's wait may outlive for long
	firstPoll  = 2 * time.Millisecond
	lastPoll   = 50 * time.Millisecond
)

// Config is what Start starts.
type Config struct {
	Binary string   // path, or a name that PATH has
	Args   []string // without the name
	Env    []string // added to this process' environment
	Dir    string   // working directory; empty: this process'
	// Log is the file that takes what the server prints, appended; its directory is made. Nobody else's server may run with the same log:
	// Start waits until that one is gone. Empty: this process' standard error.
	Log string
	// Healthy tells whether the server answers; Start calls it until it returns nil. Nil: Start doesn't wait. See HTTP.
	Healthy    func() error
	StartLimit time.Duration // until Healthy; 0: 30 s
	StopLimit  time.Duration // from SIGTERM until SIGKILL; 0: 60 s
}

// Process is a server that runs, or did.
type Process struct {
	name  string
	cmd   *exec.Cmd
	limit time.Duration // Config.StopLimit
	ended chan struct{} // closed when the process is gone
	err   error         // of the process; read after ended
	log   *tail         // nil without a log
}

// Start starts a server and waits until it is healthy. One that isn't in time is killed; the error of one that ends before has its last lines.
func Start(c Config) (*Process, error) {
	p := &Process{name: filepath.Base(c.Binary), ended: make(chan struct{}), limit: orElse(c.StopLimit, stopLimit)}
	p.cmd = exec.Command(c.Binary, c.Args...)
	p.cmd.Dir, p.cmd.Env = c.Dir, append(os.Environ(), c.Env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	limit := orElse(c.StartLimit, startLimit)
	deadline := time.Now().Add(limit)
	output := os.Stderr
	if c.Log != "" {
		f, err := openLog(c.Log, deadline)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		defer f.Close() // the process has a copy
		output = f
		if p.log, err = newTail(f, c.Log); err != nil {
			return nil, err
		}
	}
	p.cmd.Stdout, p.cmd.Stderr = output, output
	if err := p.run(); err != nil {
		return nil, err
	}
	if c.Healthy != nil {
		if err := p.await(c.Healthy, deadline, limit); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func orElse(d, standard time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return standard
}

// run starts the process from a thread that waits for it: Linux sends the signal of the parent's death when the thread ends that forked.
func (p *Process) run() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = p.cmd.Wait()
		// What it may have left of its own processes goes with it.
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		close(p.ended)
	}()
	return <-started
}

// await asks until the server is healthy, it ended, or time is up.
func (p *Process) await(healthy func() error, deadline time.Time, limit time.Duration) error {
	for poll := firstPoll; ; poll = min(poll*5/4, lastPoll) {
		err := healthy()
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended before it was healthy: %v%s", p.name, p.cmd.ProcessState, p.log)
		default:
		}
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("%s was not healthy within %v: %w%s", p.name, limit, err, p.log), p.Kill())
		}
		select {
		case <-p.ended:
		case <-time.After(poll):
		}
	}
}

// PID is the process' number, and that of its group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the process is gone.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// State is what is known of the process that is gone: its CPU time and exit status. Nil while it runs.
func (p *Process) State() *os.ProcessState {
	select {
	case <-p.ended:
		return p.cmd.ProcessState
	default:
		return nil
	}
}

// Check is nil while the process runs; else it says how it ended, with its last lines. It makes an error of a request plain.
func (p *Process) Check() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s has ended: %v%s", p.name, p.cmd.ProcessState, p.log)
	default:
		return nil
	}
}

// Stop asks the server to end by SIGTERM and waits. One that doesn't within the limit is killed, and that is an error, as is one that had ended
// before or ends with a status other than 0. To have ended by the SIGTERM itself is none.
func (p *Process) Stop() error {
	if err := p.Check(); err != nil {
		return err
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(p.limit):
		return errors.Join(fmt.Errorf("%s did not end within %v of SIGTERM%s", p.name, p.limit, p.log), p.Kill())
	}
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGTERM {
		return nil
	}
	if p.err != nil {
		return fmt.Errorf("%s ended badly: %w%s", p.name, p.err, p.log)
	}
	return nil
}

// Kill ends the process and its group at once, and waits. One that is gone is no error.
func (p *Process) Kill() error {
	select {
	case <-p.ended:
		return nil
	default:
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	select {
	case <-p.ended:
		return nil
	case <-time.After(killLimit):
		return fmt.Errorf("%s, process %d, outlives SIGKILL", p.name, p.cmd.Process.Pid)
	}
}
