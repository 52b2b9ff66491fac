// Package debian gets the servers that the benchmark compares with out of Debian's packages: it unpacks them into the work directory, so that
// it needs no root, nothing is started, and removing the directory removes them. What PATH has is used where it is.
package debian

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/telemetrydb/tsdb/bench/child"
)

// server is what a target needs.
type server struct {
	binary   string
	packages []string // the first has the binary
}

var servers = map[string]server{
	"promserver": {"prometheus", []string{"prometheus"}},
	"vmserver":   {"victoria-metrics", []string{"victoria-metrics"}},
	"influxdb":   {"influxd", []string{"influxdb"}},
}

// Packages are the packages whose server a target runs; none if the target needs none.
func Packages(target string) []string { return slices.Clone(servers[target].packages) }

const (
	folder   = "debian" // in the work directory
	archives = "archives"
)

// Install fetches and unpacks what the targets need and this machine doesn't have into the work directory. apt's words go to out. Targets that need
// no package are passed over.
func Install(ctx context.Context, work string, out io.Writer, targets ...string) error {
	dir, err := filepath.Abs(filepath.Join(work, folder))
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range targets {
		s, ok := servers[t]
		if !ok {
			continue
		}
		if _, err := search(s, filepath.Join(dir, "usr", "bin")); err == nil {
			continue
		}
		if err := unpack(ctx, dir, out, s.packages); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t, err))
		}
	}
	return errors.Join(errs...)
}

func unpack(ctx context.Context, dir string, out io.Writer, packages []string) error {
	cache := filepath.Join(dir, archives)
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	run := func(name string, args ...string) error {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = cache, out, out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
		}
		return nil
	}
	get := append([]string{"-q", "download"}, packages...)
	if err := run("apt-get", get...); err != nil {
		if os.Geteuid() != 0 { // the lists may be missing or old, which only root can mend
			return err
		}
		if err := errors.Join(run("apt-get", "-q", "update"), run("apt-get", get...)); err != nil {
			return err
		}
	}
	for _, p := range packages {
		path := archive(dir, p)
		if path == "" {
			return fmt.Errorf("apt-get left no archive of %s in %s", p, cache)
		}
		if err := run("dpkg-deb", "-x", path, dir); err != nil {
			return err
		}
	}
	return nil
}

// archive is the path of a package's archive, or empty.
func archive(dir, pkg string) string {
	found, _ := filepath.Glob(filepath.Join(dir, archives, pkg+"_*.deb"))
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// search looks for a server in PATH and in other directories.
func search(s server, places ...string) (string, error) {
	path, err := child.Find(s.binary, s.packages[0])
	if err == nil {
		return path, nil
	}
	for _, dir := range places {
		if path, err := exec.LookPath(filepath.Join(dir, s.binary)); err == nil {
			return path, nil
		}
	}
	return "", err
}

// Find is the path of the server that a target runs: out of PATH, or out of the work directory in which this program lies, or which is called
// .work and lies in the current directory or above. The error names the package.
func Find(target string) (path string, err error) {
	s, ok := servers[target]
	if !ok {
		return "", fmt.Errorf("no package is known for %s", target)
	}
	var places []string
	for _, dir := range workDirectories() {
		places = append(places, filepath.Join(dir, folder, "usr", "bin"))
	}
	path, err = search(s, places...)
	if err != nil {
		err = fmt.Errorf("%w (apt-get install %s, or let the suite unpack it: -install)", err, strings.Join(s.packages, " "))
	}
	return path, err
}

func workDirectories() (dirs []string) {
	if exe, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Dir(filepath.Dir(exe)))
	}
	if dir, err := os.Getwd(); err == nil {
		for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			dirs = append(dirs, filepath.Join(dir, ".work"))
		}
	}
	return dirs
}

// Version is the version of the package that the server at the path is out of, or empty if that cannot be told. It is for servers that don't
// know their own.
func Version(target, path string) string {
	pkg := servers[target].packages[0]
	dir := strings.TrimSuffix(path, filepath.Join("/usr/bin", servers[target].binary))
	if a := archive(dir, pkg); a != "" {
		if parts := strings.Split(filepath.Base(a), "_"); len(parts) > 1 {
			return strings.ReplaceAll(parts[1], "%3a", ":")
		}
	}
	text, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", pkg).Output()
	if err != nil {
		return ""
	}
	return string(text)
}
