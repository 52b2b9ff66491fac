package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopwatch takes wall and CPU time of this process, in seconds.
type stopwatch struct {
	start time.Time
	cpu   float64
}

func startWatch() stopwatch { return stopwatch{time.Now(), cpuSeconds()} }

func (w stopwatch) wall() float64 { return time.Since(w.start).Seconds() }
func (w stopwatch) used() float64 { return cpuSeconds() - w.cpu }

func cpuSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// procField is a number from a file of "name: number" lines below /proc/self; 0 if there is none.
func procField(file, name string) float64 {
	b, err := os.ReadFile("/proc/self/" + file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name+":" {
			n, _ := strconv.ParseFloat(f[1], 64)
			return n
		}
	}
	return 0
}

// peakMiB is the most resident memory this process has had.
func peakMiB() float64 { return procField("status", "VmHWM") / 1024 }

// writtenByProcess is what this process has given to the file system, in bytes.
func writtenByProcess() float64 { return procField("io", "wchar") }

// treeBytes adds up the sizes of the files below dir.
func treeBytes(dir string) (n float64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // compactions may remove files meanwhile
		}
		if info, err := d.Info(); err == nil && d.Type().IsRegular() {
			n += float64(info.Size())
		}
		return nil
	})
	return n
}

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	return s[len(s)/2]
}

func mean(xs []float64) (sum float64) {
	for _, x := range xs {
		sum += x / float64(len(xs))
	}
	return sum
}

func loadAverages() string {
	b, _ := os.ReadFile("/proc/loadavg")
	return strings.Join(strings.Fields(string(b) + " ? ? ?")[:3], " ")
}
