package suite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/telemetrydb/tsdb/bench/debian"
	"github.com/telemetrydb/tsdb/bench/served"
)

// build makes the adapter of t.
func (s *session) build(ctx context.Context, t Target) error {
	if t.built {
		return nil
	}
	folder := filepath.Join(s.o.Source, "target", t.Folder)
	if _, err := os.Stat(folder); err != nil {
		return fmt.Errorf("it has no adapter: %w", err)
	}
	if t.Folder == "vm" {
		args := []string{s.binary(t.Name)}
		if s.o.Install {
			args = append(args, "install")
		}
		return s.tool(ctx, filepath.Join(folder, "build.sh"), args...)
	}
	if setup := filepath.Join(folder, "setup.sh"); s.o.Install && s.o.URIs[t.Name] == "" && exists(setup) {
		if err := s.tool(ctx, setup); err != nil {
			return fmt.Errorf("installing what it needs: %w", err)
		}
	}
	if s.o.Install {
		var said bytes.Buffer
		if err := debian.Install(ctx, s.o.Work, &said, t.Name); err != nil {
			return fmt.Errorf("installing what it needs: %w: %s", err, lastLines(said.Bytes()))
		}
	}
	if t.Ours && t.Server {
		if _, err := served.Build(filepath.Dir(s.o.Source), s.o.Work, false); err != nil {
			return err
		}
	}
	return s.tool(ctx, "go", "build", "-o", s.binary(t.Name), "./target/"+t.Folder)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (s *session) binary(name string) string { return filepath.Join(s.o.Work, "bin", name) }

// tool runs a program that prepares something. It is not killed half way, because packages may be half installed then; nothing follows it when
// ctx is over.
func (s *session) tool(ctx context.Context, name string, args ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = s.o.Source
	text, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%w: %s", err, lastLines(text))
	}
	return nil
}

// lastLines are those of what a program said.
func lastLines(text []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-wordsLines):], []byte("\n"))
}
