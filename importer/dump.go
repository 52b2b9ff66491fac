package importer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// DamageError says where a dump cannot be read.
type DamageError struct {
	File   string
	Offset int64 // of the document, in bytes of what the file holds uncompressed
	Err    error
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is damaged at byte %d: %v", e.File, e.Offset, e.Err)
}

// Unwrap gives the cause.
func (e *DamageError) Unwrap() error { return e.Err }

const (
	maxDocument  = 16<<20 + 16<<10 // bytes: what a server takes, and what it adds for its own use
	archiveMagic = 0x8199e26d
	archiveEnd   = 0xffffffff // behind the headers, and behind each block of documents
)

// dump is what mongodump left: a directory with a file for each collection, or one archive.
type dump struct {
	files map[string]string // by collection; an archive has them all
}

// OpenDump looks at a dump: a directory with meter.bson, event.bson and resource.bson, each of which may be missing and may be
// compressed by gzip, a directory with such a directory in it, one such file, or an archive of mongodump --archive.
func OpenDump(path string) (Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	d := &dump{files: map[string]string{}}
	if !info.IsDir() {
		return d, d.addFile(path)
	}
	dirs, err := d.addDir(path)
	if err != nil || len(d.files) > 0 {
		return d, err
	}
	for _, dir := range dirs {
		before := len(d.files)
		if _, err := d.addDir(dir); err != nil {
			return nil, err
		}
		if before > 0 && len(d.files) > before {
			return nil, fmt.Errorf("%s holds dumps of several databases: name the directory of one", path)
		}
	}
	if len(d.files) == 0 {
		return nil, fmt.Errorf("%s: no meter.bson, event.bson or resource.bson, nor one with .gz", path)
	}
	return d, nil
}

// addDir takes the files of a directory, and returns the directories in it.
func (d *dump) addDir(dir string) (dirs []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		name := collectionOf(e.Name())
		switch {
		case e.IsDir():
			dirs = append(dirs, path)
		case name != "" && d.files[name] != "":
			return nil, fmt.Errorf("%s: both %s and %s", dir, filepath.Base(d.files[name]), e.Name())
		case name != "":
			d.files[name] = path
		}
	}
	return dirs, nil
}

// collectionOf gives the collection that a file of a dump holds, if it is one that is read.
func collectionOf(file string) string {
	name, ok := strings.CutSuffix(strings.TrimSuffix(file, ".gz"), ".bson")
	if ok && (name == meterCollection || name == resourceCollection || name == eventCollection) {
		return name
	}
	return ""
}

// addFile takes a file of one collection, or an archive.
func (d *dump) addFile(path string) error {
	if name := collectionOf(filepath.Base(path)); name != "" {
		d.files[name] = path
		return nil
	}
	f, err := openDumpFile(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var magic [4]byte
	if _, err := io.ReadFull(f.r, magic[:]); err != nil || binary.LittleEndian.Uint32(magic[:]) != archiveMagic {
		return fmt.Errorf("%s is neither meter.bson, event.bson or resource.bson nor an archive of mongodump", path)
	}
	for _, name := range []string{meterCollection, resourceCollection, eventCollection} {
		d.files[name] = path
	}
	return nil
}

// Identity is made of the first document, so that a dump may be moved.
func (d *dump) Identity(ctx context.Context) (string, error) {
	sum := sha256.New()
	for _, name := range []string{meterCollection, eventCollection} {
		c, err := d.Open(ctx, name, "")
		if err != nil {
			return "", err
		}
		doc, err := c.Next(ctx)
		if err != nil && !errors.Is(err, io.EOF) {
			return "", errors.Join(err, c.Close())
		}
		sum.Write(doc)
		if err := c.Close(); err != nil {
			return "", err
		}
	}
	return "dump:" + hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// Check reads every document of the collections that matter.
func (d *dump) Check(ctx context.Context, fn func(read, total int64)) error {
	for _, name := range []string{meterCollection, resourceCollection, eventCollection} {
		if err := d.checkCollection(ctx, name, fn); err != nil {
			return err
		}
	}
	return nil
}

func (d *dump) checkCollection(ctx context.Context, name string, fn func(read, total int64)) (err error) {
	c, err := d.Open(ctx, name, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for n := 0; ; n++ {
		if _, err := c.Next(ctx); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if n%4096 == 0 {
			fn(c.Progress())
		}
	}
}

func (d *dump) Close() error { return nil }

// dumpFile is a file being read, uncompressed.
type dumpFile struct {
	f     *os.File
	size  int64
	r     *bufio.Reader
	count *counter
}

// counter counts the bytes of the file itself, compressed or not.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func openDumpFile(path string) (*dumpFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	d := &dumpFile{f: f, size: info.Size(), count: &counter{r: f}}
	d.r = bufio.NewReaderSize(d.count, 1<<20)
	if magic, err := d.r.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(d.r)
		if err != nil {
			return nil, errors.Join(&DamageError{path, 0, err}, f.Close())
		}
		d.r = bufio.NewReaderSize(z, 1<<20)
	}
	return d, nil
}

func (d *dumpFile) Close() error { return d.f.Close() }

// dumpCursor reads the documents of one collection.
type dumpCursor struct {
	*dumpFile
	path       string
	collection string
	archive    bool
	inside     bool // of an archive: in a block of the collection
	done       bool // the archive has no more blocks
	offset     int64
	at         int64 // where the last document begins
	buf        []byte
}

// Open goes through the file from its beginning, which is quick, up to the place, an offset.
func (d *dump) Open(ctx context.Context, collection, after string) (Cursor, error) {
	path := d.files[collection]
	if path == "" {
		return noDocuments{}, nil
	}
	var from int64
	if after != "" {
		var err error
		if from, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, fmt.Errorf("place %q in a dump: want a number", after)
		}
	}
	f, err := openDumpFile(path)
	if err != nil {
		return nil, err
	}
	c := &dumpCursor{dumpFile: f, path: path, collection: collection, archive: collectionOf(filepath.Base(path)) == ""}
	if c.archive {
		if err := c.skipHeaders(); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	for c.offset < from {
		if _, err := c.Next(ctx); err != nil {
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("%s ends before byte %d, up to which it was read before: it is not the same dump", path, from)
			}
			return nil, errors.Join(err, f.Close())
		}
	}
	if from > 0 && c.offset != from { // no document ends there: those behind would be taken twice, or not at all
		return nil, errors.Join(fmt.Errorf("%s has no document that ends at byte %d, up to which it was read before: it is not the same dump",
			path, from), f.Close())
	}
	return c, nil
}

func (c *dumpCursor) Place() string { return strconv.FormatInt(c.offset, 10) }

func (c *dumpCursor) Progress() (read, total int64) { return c.count.n, c.size }

func (c *dumpCursor) damage(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it breaks off")
	}
	return &DamageError{c.path, c.at, err}
}

// Next reads a document.
func (c *dumpCursor) Next(ctx context.Context) ([]byte, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if c.done {
			return nil, io.EOF
		}
		doc, end, err := c.document()
		switch {
		case c.archive && errors.Is(err, io.EOF): // in the middle of a block
			return nil, c.damage(err)
		case err != nil:
			return nil, err
		case !c.archive && end:
			return nil, c.damage(errors.New("no document has that length"))
		case !c.archive || c.inside && !end:
			if err := checkDocument(doc, 0); err != nil {
				return nil, c.damage(err)
			}
			return doc, nil
		case end:
			err = c.block()
		}
		if err != nil {
			return nil, err
		}
	}
}

// document reads a document, or the mark that ends a block of an archive. io.EOF: there is nothing more.
func (c *dumpCursor) document() (doc []byte, end bool, err error) {
	c.at = c.offset
	var head [4]byte
	if n, err := io.ReadFull(c.r, head[:]); err != nil {
		if n == 0 && errors.Is(err, io.EOF) {
			return nil, false, io.EOF
		}
		return nil, false, c.damage(err)
	}
	length := binary.LittleEndian.Uint32(head[:])
	if length == archiveEnd {
		c.offset += 4
		return nil, true, nil
	}
	if length < 5 || length > maxDocument {
		return nil, false, c.damage(fmt.Errorf("a document of %d bytes", length))
	}
	if cap(c.buf) < int(length) {
		if _, err := c.r.Peek(min(int(length)-4, c.r.Size())); err != nil { // before memory is taken for what is not there
			return nil, false, c.damage(err)
		}
		c.buf = make([]byte, length)
	}
	c.buf = c.buf[:length]
	copy(c.buf, head[:])
	if _, err := io.ReadFull(c.r, c.buf[4:]); err != nil {
		return nil, false, c.damage(err)
	}
	c.offset += int64(length)
	return c.buf, false, nil
}

// noDocuments is the cursor of a collection that there is not.
type noDocuments struct{}

func (noDocuments) Next(context.Context) ([]byte, error) { return nil, io.EOF }
func (noDocuments) Place() string                        { return "" }
func (noDocuments) Progress() (read, total int64)        { return 0, 0 }
func (noDocuments) Close() error                         { return nil }
