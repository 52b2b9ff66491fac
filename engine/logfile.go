package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/batchrepr"
	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/wal"
)

// logPath names a file of Pebble's log.
func logPath(fs vfs.FS, dir string, num uint64) string {
	return fs.PathJoin(dir, fmt.Sprintf("%06d.log", num))
}

// logNumber returns the number of a file of Pebble's log.
func logNumber(fs vfs.FS, path string) (uint64, bool) {
	num, index, ok := wal.ParseLogFilename(fs.PathBase(path))
	return uint64(num), ok && index == 0
}

// listLogs returns the numbers of the files of Pebble's log, ascending.
func listLogs(fs vfs.FS, dir string) (nums []uint64, err error) {
	names, err := fs.List(dir)
	if err != nil {
		return nil, fmt.Errorf("tsdb: listing %s: %w", dir, err)
	}
	for _, n := range names {
		if num, ok := logNumber(fs, n); ok {
			nums = append(nums, num)
		}
	}
	slices.Sort(nums)
	return nums, nil
}

// logPlace is a place in the log.
type logPlace struct {
	num    uint64 // of the file
	offset int64
}

// logReader reads the sample records of the files of a log in their order.
type logReader struct {
	fs   vfs.FS
	dir  string
	buf  bytes.Buffer
	torn []logPlace // where files break off
}

// corrupt says that the log is damaged at a place.
func (l *logReader) corrupt(at logPlace, err error) error {
	return &CorruptError{File: l.fs.PathBase(logPath(l.fs, l.dir, at.num)), Offset: at.offset, Err: err}
}

// each calls fn for every sample record of a file; payload is valid until fn returns.
//
// A file that Pebble has gone on from ends with a mark. The newest one may break off anywhere after a crash: in zeros that were
// allocated ahead, or in a record that was not written whole. That is where the log ends; nothing behind it was acknowledged.
// But nothing may have been written to a later file then, so a sample record there says that what seems to be an end is damage.
func (l *logReader) each(num uint64, fn func(at logPlace, payload []byte) error) error {
	f, err := l.fs.Open(logPath(l.fs, l.dir, num), vfs.SequentialReadsOption)
	if err != nil {
		return fmt.Errorf("tsdb: opening the log: %w", err)
	}
	defer f.Close()
	r := newRecordReader(record.NewReader, f, num)
	for {
		at := logPlace{num, r.Offset()}
		rec, err := r.Next()
		if err == nil {
			l.buf.Reset()
			_, err = l.buf.ReadFrom(rec)
		}
		switch {
		case errors.Is(err, record.ErrUnexpectedEOF), errors.Is(err, record.ErrInvalidChunk), errors.Is(err, record.ErrZeroedChunk):
			l.torn = append(l.torn, at)
			return nil
		case errors.Is(err, io.EOF):
			ended, err := hasLogEnd(f, at)
			if !ended && err == nil {
				l.torn = append(l.torn, at)
			}
			return err
		case err != nil:
			return fmt.Errorf("tsdb: reading %s: %w", logPath(l.fs, l.dir, num), err)
		}
		payload, ok, err := logData(l.buf.Bytes())
		if err != nil {
			return l.corrupt(at, err)
		}
		if !ok {
			continue
		}
		if len(l.torn) > 0 {
			return l.corrupt(l.torn[0], fmt.Errorf("%w: log record, and the log goes on behind it", ErrCorrupt))
		}
		if err := fn(at, payload); err != nil {
			return err
		}
	}
}

// newRecordReader calls record.NewReader, whose type of file numbers has no name outside Pebble.
func newRecordReader[N ~uint64](newReader func(io.Reader, N) *record.Reader, r io.Reader, num uint64) *record.Reader {
	return newReader(r, N(num))
}

// logData returns the sample record that a batch of Pebble's log begins with, if it does.
func logData(batch []byte) (payload []byte, ok bool, err error) {
	if _, ok := batchrepr.ReadHeader(batch); !ok {
		return nil, false, fmt.Errorf("%w: batch of %d bytes in the log", ErrCorrupt, len(batch))
	}
	r := batchrepr.Read(batch)
	kind, payload, _, ok, err := r.Next()
	if err != nil {
		return nil, false, fmt.Errorf("%w: batch in the log: %w", ErrCorrupt, err)
	}
	return payload, ok && kind == pebble.InternalKeyKindLogData, nil
}

// Pebble's log is a sequence of blocks of 32 KiB; a chunk, which begins with a header, does not reach over the end of a block.
const (
	logBlock  = 32 << 10
	logHeader = 11
)

// endLog makes a file that may not be on stable storage yet durable as it was read, and, if it breaks off at torn, which is -1 otherwise,
// puts there the mark that Pebble writes at the end of a file.
func endLog(fs vfs.FS, dir string, num uint64, torn int64) error {
	f, err := fs.OpenReadWrite(logPath(fs, dir, num), "pebble-wal")
	if err != nil {
		return fmt.Errorf("tsdb: ending the log: %w", err)
	}
	if torn >= 0 {
		_, err = f.WriteAt(logEnd(num, torn), torn)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("tsdb: ending the log: %w", err)
	}
	return nil
}

// hasLogEnd tells whether a file has the mark where the reader takes its end to be. That also ends at a chunk whose number was
// damaged to look like the mark's, and where a file was cut off between two records.
func hasLogEnd(f io.ReaderAt, at logPlace) (bool, error) {
	want := logEnd(at.num, at.offset)
	got := make([]byte, len(want))
	if _, err := f.ReadAt(got, at.offset); err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("tsdb: reading the log: %w", err)
	}
	return bytes.Equal(got, want), nil
}

// logEnd returns the mark that ends a file at an offset: the header of an empty chunk with the next file's number, at the beginning of a
// block if it has no place before.
func logEnd(num uint64, offset int64) []byte {
	var b []byte
	if left := logBlock - offset%logBlock; left < logHeader {
		b = make([]byte, left)
	}
	const full = 5 // a whole record in a chunk that bears the number of the file
	b = append(b, 0, 0, 0, 0, 0, 0, full)
	return binary.LittleEndian.AppendUint32(b, uint32(num)+1)
}
