package cost

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// CPUSeconds is the user and system time of this process.
func CPUSeconds() float64 { return usage(syscall.RUSAGE_SELF) }

// ChildrenCPUSeconds is that of the processes that it has started and seen end.
func ChildrenCPUSeconds() float64 { return usage(syscall.RUSAGE_CHILDREN) }

func usage(who int) float64 {
	var u syscall.Rusage
	if syscall.Getrusage(who, &u) != nil {
		return 0 // not for these two
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// Watch takes wall and CPU time of this process from its start on.
type Watch struct {
	start time.Time
	cpu   float64
}

// Start starts a Watch.
func Start() Watch { return Watch{time.Now(), CPUSeconds()} }

// Wall is the seconds since the start.
func (w Watch) Wall() float64 { return time.Since(w.start).Seconds() }

// Used is the CPU seconds since the start.
func (w Watch) Used() float64 { return CPUSeconds() - w.cpu }

// PeakMiB is the most resident memory that the process has had, mapped files included; 0 if it does not run. Unlike what getrusage knows, it
// holds nothing of the process that this one was forked from.
func PeakMiB(pid int) float64 { return procField(pid, "status", "VmHWM") / 1024 }

// WrittenBytes is what this process has given to the file system.
func WrittenBytes() float64 { return procField(os.Getpid(), "io", "wchar") }

// procField is a number from a file of "name: number" lines of a process; 0 if there is none.
func procField(pid int, file, name string) float64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name+":" {
			n, _ := strconv.ParseFloat(f[1], 64)
			return n
		}
	}
	return 0
}
