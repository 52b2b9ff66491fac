package served

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/telemetrydb/tsdb/bench/child"
)

const clockTicks = 100 // of /proc/PID/stat a second, on every Linux that Go supports

// Server is a running `tsdb serve` on a free port of the loopback interface. It ends with this process.
type Server struct {
	process *child.Process
	URL     string // without a slash at its end
}

// Start starts the binary on dir and waits until it is healthy. more are further arguments of serve.
func Start(binary, dir string, more []string) (*Server, error) {
	address, err := child.FreeAddress()
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://" + address}
	s.process, err = child.Start(child.Config{
		Binary:  binary,
		Args:    append([]string{"serve", "--data", dir, "--listen", address}, more...),
		Healthy: child.HTTP(s.URL + "/healthz"),
	})
	return s, err
}

// FreeAddress is an address of the loopback interface that nobody listens on now.
func FreeAddress() (string, error) { return child.FreeAddress() }

// Stop asks the server to end, waits, and returns the CPU seconds of its whole life.
func (s *Server) Stop() (cpuSeconds float64, err error) {
	if err := s.process.Stop(); err != nil {
		return 0, err
	}
	state := s.process.State()
	return (state.UserTime() + state.SystemTime()).Seconds(), nil
}

// Kill ends the server at once.
func (s *Server) Kill() { _ = s.process.Kill() }

// CPUSeconds is what the server has used so far, to a hundredth.
func (s *Server) CPUSeconds() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.PID()))
	if err != nil {
		return 0, err
	}
	// The command's name may hold blanks; fields are counted from behind it, so that user and system time are 11 and 12.
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 13 {
		return 0, errors.New("short /proc/PID/stat")
	}
	user, err1 := strconv.ParseFloat(f[11], 64)
	system, err2 := strconv.ParseFloat(f[12], 64)
	return (user + system) / clockTicks, errors.Join(err1, err2)
}

// RunSeconds is what the server's threads have run so far, to a microsecond or so. A thread that ended is not in it, so it only
// serves short spans in which none does.
func (s *Server) RunSeconds() (float64, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.process.PID()))
	if err != nil || len(tasks) == 0 {
		return 0, fmt.Errorf("no schedstat: %v", err)
	}
	sum := 0.0
	for _, path := range tasks {
		b, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		nanos, err := strconv.ParseFloat(strings.Fields(string(b))[0], 64)
		if err != nil {
			return 0, err
		}
		sum += nanos / 1e9
	}
	return sum, nil
}

// PeakMemoryMB is the most resident memory so far, in units of a million bytes.
func (s *Server) PeakMemoryMB() (float64, error) { return s.memoryMB("VmHWM:") }

// MemoryMB is the resident memory now, in units of a million bytes.
func (s *Server) MemoryMB() (float64, error) { return s.memoryMB("VmRSS:") }

func (s *Server) memoryMB(field string) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.PID()))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == field {
			kib, err := strconv.ParseFloat(f[1], 64)
			return kib * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("no %s in /proc/PID/status", field)
}
