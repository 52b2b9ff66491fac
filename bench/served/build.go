package served

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// Build builds the server from the module in the directory source, with the race detector or without, into the directory work, and returns
// the binary's path.
func Build(source, work string, race bool) (binary string, err error) {
	name, flags := "server", []string(nil)
	if race {
		name, flags = "loaded", []string{"-race"}
	}
	if binary, err = filepath.Abs(filepath.Join(work, "bin", name)); err != nil {
		return "", err
	}
	return binary, buildTo(source, binary, flags)
}

func buildTo(source, binary string, flags []string) error {
	cmd := exec.Command("go", append(append([]string{"build"}, flags...), "-o", binary, "./cmd/tsdb")...)
	cmd.Dir = source
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the server: %w\n%s", err, text)
	}
	return nil
}
