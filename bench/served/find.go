package served

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// binaryVariable names a server's binary for Find.
const binaryVariable = "TSDB_SERVER"

// Find returns the path of the server's binary: what the environment variable TSDB_SERVER names, or the file server beside this program, which
// is built from the module's source if it is older than this program. That takes the go command, in a directory of this module.
func Find() (string, error) {
	if path := os.Getenv(binaryVariable); path != "" {
		_, err := os.Stat(path)
		return path, err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	mine, err := os.Stat(self)
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(self)
	path := filepath.Join(dir, "server")
	if info, err := os.Stat(path); err == nil && !info.ModTime().Before(mine.ModTime()) {
		return path, nil
	}
	source, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/telemetrydb/tsdb").Output()
	if err != nil {
		return "", fmt.Errorf("no server: %s is not set, and go does not find its source: %w", binaryVariable, err)
	}
	return path, buildTo(string(bytes.TrimSpace(source)), path, nil)
}
