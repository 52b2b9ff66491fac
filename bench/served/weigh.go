package served

import (
	"io/fs"
	"path/filepath"
	"syscall"
)

// Weight is what a directory takes, in bytes.
type Weight struct {
	Files     int64 // sum of the files' sizes
	Allocated int64 // blocks of files and directories on the disk
}

// Weigh adds up everything in dir. Files that disappear meanwhile do not count.
func Weigh(dir string) (w Weight) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		var st syscall.Stat_t
		if err != nil || syscall.Lstat(path, &st) != nil {
			return nil // a file that compaction removed meanwhile
		}
		w.Allocated += st.Blocks * 512
		if d.Type().IsRegular() {
			w.Files += st.Size
		}
		return nil
	})
	return w
}
