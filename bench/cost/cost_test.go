package cost

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string]int{"a": 10, "b/c": 200, "b/d/e": 3000, "d/f": 40000} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		except []string
		want   int64
	}{{nil, 43210}, {[]string{"d"}, 3210}, {[]string{"b", "d"}, 10}} {
		if got := TreeBytes(dir, c.except...); got != c.want {
			t.Errorf("without %q: %d bytes, want %d", c.except, got, c.want)
		}
	}
	if err := Forget(dir); err != nil {
		t.Error(err)
	}
	if err := Forget(filepath.Join(dir, "none")); err != nil {
		t.Error(err)
	}
	if got := TreeBytes(dir); got != 43210 {
		t.Errorf("after forgetting them: %d bytes", got)
	}
}

func TestProcess(t *testing.T) {
	w := Start()
	if got := PeakMiB(os.Getpid()); got < 1 || got > 1<<20 {
		t.Errorf("this process has had %g MiB", got)
	}
	if got := PeakMiB(-1); got != 0 {
		t.Errorf("no process has had %g MiB", got)
	}
	if w.Used() < 0 || w.Wall() <= 0 || CPUSeconds() <= 0 || ChildrenCPUSeconds() < 0 {
		t.Errorf("used %g of %g s", w.Used(), w.Wall())
	}
	before := WrittenBytes()
	if err := os.WriteFile(filepath.Join(t.TempDir(), "f"), make([]byte, 1000), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := WrittenBytes() - before; got < 1000 {
		t.Errorf("%g bytes written", got)
	}
}
