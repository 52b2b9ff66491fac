package suite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	wordsBytes = 1500 // of a process' last words
	wordsLines = 8
	sweepLimit = 10 * time.Second // until killed processes are gone
)

var errTimeout = errors.New("not finished in time")

// failure is how a process ended badly, with its last words.
type failure struct {
	err   error
	words string
	code  int // exit status, -1 if a signal ended it
}

func (f *failure) Error() string {
	if f.words == "" {
		return f.err.Error()
	}
	if f.code >= 0 {
		return f.words // says more than the status
	}
	return fmt.Sprintf("%v; last words: %s", f.err, f.words)
}

func (f *failure) Unwrap() error { return f.err }

// process is a running phase.
type process struct {
	cmd      *exec.Cmd
	out, err string // files with what it printed
	ended    chan error
}

// start starts a program in a process group of its own, from a thread that lives until it ends: the kernel kills the program when that thread
// is gone. Its output goes to files, because pipes stay open as long as whatever it leaves behind.
func start(logs string, env []string, dir, path string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(path, args...), out: filepath.Join(logs, "phase.out"), err: filepath.Join(logs, "phase.err"), ended: make(chan error, 1)}
	stdout, err := os.Create(p.out)
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	stderr, err := os.Create(p.err)
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, append(os.Environ(), env...), stdout, stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.ended <- p.cmd.Wait()
		}
	}()
	return p, <-started
}

// wait waits until the process ends, or ends it when ctx or the time is over. Nothing that it started is left then.
func (p *process) wait(ctx context.Context, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var err error
	select {
	case err = <-p.ended:
	case <-ctx.Done():
		p.kill()
		err = ctx.Err()
	case <-timer.C:
		p.kill()
		err = fmt.Errorf("%w: killed after %v", errTimeout, limit)
	}
	if left := sweep(); left != nil {
		return left
	}
	if err == nil {
		return nil
	}
	f := &failure{err: err, words: lastWords(p.err), code: -1}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		f.code = exit.ExitCode()
	}
	return f
}

// kill ends the process' group and waits for the process.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
}

// lastWords are the last lines of a file.
func lastWords(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > wordsBytes {
		_, _ = f.Seek(-wordsBytes, io.SeekEnd)
	}
	text, _ := io.ReadAll(io.LimitReader(f, wordsBytes))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.ToValidUTF8(strings.Join(lines[max(0, len(lines)-wordsLines):], "\n"), "?")
}

// adoptOrphans makes this process the parent of whatever its descendants leave behind.
func adoptOrphans() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// sweep kills every descendant of this process and waits until none is left.
func sweep() error {
	for deadline := time.Now().Add(sweepLimit); ; time.Sleep(2 * time.Millisecond) {
		left := descendants(os.Getpid())
		if len(left) == 0 {
			return nil
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil) // ours now, if its parent is gone
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %v outlive SIGKILL", left)
		}
	}
}

// descendants lists the processes below root, ended ones that nobody waited for too.
func descendants(root int) (found []int) {
	children := map[int][]int{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		// The command's name may hold blanks; the parent is the second field behind it.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		pid, err1 := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if len(fields) < 2 || err1 != nil {
			continue
		}
		if parent, err := strconv.Atoi(fields[1]); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	found = children[root]
	for i := 0; i < len(found); i++ { // grows while it is walked
		found = append(found, children[found[i]]...)
	}
	return found
}
