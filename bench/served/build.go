package served

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// Build builds the server from the module in the directory source, with the race detector or without, into the directory work, and returns
// the binary's path.
func Build(source, work string, race bool) (binary string, err error) {
	name, args := "server", []string{"build"}
	if race {
		name, args = "loaded", append(args, "-race")
	}
	if binary, err = filepath.Abs(filepath.Join(work, "bin", name)); err != nil {
		return "", err
	}
	cmd := exec.Command("go", append(args, "-o", binary, "./cmd/tsdb")...)
	cmd.Dir = source
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the server: %w\n%s", err, text)
	}
	return binary, nil
}
