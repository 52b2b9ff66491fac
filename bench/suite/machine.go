package suite

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// machine tells what a run was made on. Facts that cannot be had are left out.
func machine(source, work string) map[string]string {
	facts := map[string]string{
		"processor": field("/proc/cpuinfo", "model name", ":"),
		"cores":     strconv.Itoa(runtime.NumCPU()),
		"memory":    gibibytes(field("/proc/meminfo", "MemTotal", ":")),
		"disk":      fileSystem(work),
		"system":    strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`),
		"kernel":    release(),
		"Go":        runtime.Version() + " " + runtime.GOARCH,
		"commit":    commit(source),
		"load":      load(),
	}
	for name, v := range facts {
		if v == "" {
			delete(facts, name)
		}
	}
	return facts
}

// field is the value of the first line "name SEPARATOR value" of a file.
func field(path, name, separator string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, separator); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func gibibytes(kib string) string {
	n, err := strconv.ParseFloat(strings.TrimSuffix(kib, " kB"), 64)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%.1f GiB", n/(1<<20))
}

// fileSystem names the kind of the file system of a directory, and its device.
func fileSystem(dir string) string {
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return ""
	}
	best, name := "", ""
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 3 || len(f[1]) < len(best) {
			continue
		}
		if f[1] == "/" || dir == f[1] || strings.HasPrefix(dir, f[1]+"/") {
			best, name = f[1], f[2]+" on "+f[0]
		}
	}
	return name
}

func release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}

func commit(source string) string {
	cmd := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12")
	cmd.Dir = source
	text, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}
