package child

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	lastBytes = 4000 // of the log that an error quotes at most
	lastLines = 8
	lockPoll  = 5 * time.Millisecond
)

// openLog opens a log that no running server writes. The lock goes to the server with its copy of the file, so that it holds as long as that
// or a process of its own runs, also one that was killed and isn't gone yet.
func openLog(path string, deadline time.Time) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		if time.Now().After(deadline) {
			f.Close()
			return nil, fmt.Errorf("another server still writes %s", path)
		}
		time.Sleep(lockPoll)
	}
	return f, nil
}

// tail is what a server has printed since its start.
type tail struct {
	path  string
	start int64
}

func newTail(f *os.File, path string) (*tail, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return &tail{path, info.Size()}, nil
}

// String is for the end of an error: the last lines, or nothing.
func (t *tail) String() string {
	if t == nil {
		return ""
	}
	f, err := os.Open(t.path)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	from := max(t.start, info.Size()-lastBytes)
	text, err := io.ReadAll(io.NewSectionReader(f, from, lastBytes))
	if err != nil || len(text) == 0 {
		return "; it printed nothing"
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "; its last lines:\n" + strings.Join(lines[max(0, len(lines)-lastLines):], "\n")
}
