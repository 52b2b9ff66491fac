package cost

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

const dontNeed = 4 // POSIX_FADV_DONTNEED on Linux

// TreeBytes adds up the sizes of the files below dir, except those in the named sub-directories of it.
func TreeBytes(dir string, except ...string) (n int64) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // compactions may remove files meanwhile
		}
		if d.IsDir() && filepath.Dir(path) == filepath.Clean(dir) && slices.Contains(except, d.Name()) {
			return fs.SkipDir
		}
		if info, err := d.Info(); err == nil && d.Type().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}

// Forget makes the system drop what it has in memory of the files below dir. A directory that is missing has none.
func Forget(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		return forget(path)
	})
}

func forget(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil { // what is not on disk cannot be dropped
		return err
	}
	// Not by golang.org/x/sys: one adapter is built with nothing but packages of Debian's.
	if _, _, code := syscall.Syscall6(syscall.SYS_FADVISE64, f.Fd(), 0, 0, dontNeed, 0, 0); code != 0 {
		return &os.PathError{Op: "fadvise", Path: path, Err: code}
	}
	return nil
}
