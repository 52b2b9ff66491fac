package encoding

import (
	"errors"
	"fmt"
)

var (
	// ErrCorrupt comes back, wrapped, when stored bytes break the format or their checksum.
	ErrCorrupt = errors.New("tsdb: corrupt data")
	// ErrVersion comes back, wrapped, when a block has a version or a codec number that this release doesn't read.
	ErrVersion = errors.New("tsdb: unknown format version")
)

// corruptf makes an error of kind ErrCorrupt. It is only called once something is wrong, so it may allocate.
func corruptf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// versionf makes an error of kind ErrVersion.
func versionf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrVersion, fmt.Sprintf(format, args...))
}
