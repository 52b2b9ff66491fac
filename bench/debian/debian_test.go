package debian

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bin makes a directory of commands, each a script.
func bin(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestInstallUnpacksBelowWork(t *testing.T) {
	t.Setenv("PATH", bin(t, map[string]string{
		"apt-get":  `for p; do case $p in -q|download|update) ;; *) : >"${p}_1.6.7~rc0-1+b13_amd64.deb" ;; esac; done`,
		"dpkg-deb": `/bin/mkdir -p "$3/usr/bin"; echo exit >"$3/usr/bin/influxd"; /bin/chmod 755 "$3/usr/bin/influxd"`,
	}))
	work := t.TempDir()
	if err := Install(context.Background(), work, io.Discard, "tsdb", "influxdb"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(work, "debian/usr/bin/influxd")
	if got, err := search(servers["influxdb"], filepath.Dir(path)); err != nil || got != path {
		t.Errorf("found %q, %v", got, err)
	}
	if got := Version("influxdb", path); got != "1.6.7~rc0-1+b13" {
		t.Errorf("version %q", got)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Setenv("PATH", bin(t, map[string]string{"apt-get": "exit 100"}))
	t.Chdir(t.TempDir())
	if _, err := Find("vmserver"); err == nil || !strings.Contains(err.Error(), "package victoria-metrics") {
		t.Errorf("got %v", err)
	}
	if err := Install(context.Background(), t.TempDir(), io.Discard, "promserver"); err == nil || !strings.Contains(err.Error(), "apt-get -q download prometheus") {
		t.Errorf("got %v", err)
	}
}

func TestFindPrefersPath(t *testing.T) {
	dir := bin(t, map[string]string{"prometheus": ""})
	t.Setenv("PATH", dir)
	if got, err := Find("promserver"); err != nil || got != filepath.Join(dir, "prometheus") {
		t.Errorf("found %q, %v", got, err)
	}
}
