package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// storeFormat is Pebble's format that this release writes. It is raised only together with a test that opens a
// database of the release before.
const storeFormat = pebble.FormatColumnarBlocks

// Open opens the database in dir, creating it if there is none, and replays what the last Close or crash left in the
// log. ErrLocked: it is open already, here or in another process. ErrVersion: a newer release wrote it.
func Open(dir string, o *Options) (*DB, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	db := &DB{dir: dir, opts: opts}
	db.fault.log = opts.Logger
	db.ops.idle = make(chan struct{}, 1)
	db.flushes.failed = make(chan struct{}, 1)
	if err := opts.FS.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("tsdb: creating %s: %w", dir, err)
	}
	lock, err := pebble.LockDirectory(dir, opts.FS)
	if err != nil {
		return nil, lockedError(dir, err)
	}
	db.release = lock.Close
	if err := db.open(lock); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return db, nil
}

// lockedError says that a directory is open elsewhere, if err means that.
func lockedError(dir string, err error) error {
	switch {
	case errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES):
		err = fmt.Errorf("%w: stop the process that has it open first", ErrLocked)
	case strings.Contains(err.Error(), "lock held by current process"): // Pebble has no value for it
		err = fmt.Errorf("%w: it is this one", ErrLocked)
	}
	return fmt.Errorf("tsdb: %s: %w", dir, err)
}

func (db *DB) open(lock *pebble.Lock) (err error) {
	if err := db.findLogs(); err != nil {
		return err
	}
	db.fs = &shield{FS: db.opts.FS, fault: &db.fault, log: &db.log, seq: &db.seq, ops: &db.ops}
	if db.opts.Sync == SyncInterval {
		db.lazy = newLazySync(db.fs, db.opts.SyncEvery, db.fault.set)
		db.fs = db.lazy
	}
	po := db.storeOptions(db.fs)
	po.Lock = lock
	cache := pebble.NewCache(db.opts.MemoryBytes / 8)
	db.last = newLastBlocks(db.opts.MemoryBytes / 8)
	defer cache.Unref()
	po.Cache = cache
	ferr := db.guard(func() error {
		db.p, err = pebble.Open(db.dir, po)
		return nil
	})
	if err = cmp.Or(ferr, err); err != nil {
		return errors.Join(fmt.Errorf("tsdb: opening %s: %w", db.dir, err), db.lazy.close())
	}
	if err = db.fault.check(); err == nil {
		db.cat, err = openCatalogue(db.p, &db.opts)
	}
	if err == nil {
		err = db.events.open(db.p, db.opts.MemoryBytes/32)
	}
	if err == nil {
		err = db.openNames()
	}
	if err == nil {
		err = db.recover()
	}
	if err != nil {
		return errors.Join(err, db.guard(db.p.Close), db.lazy.close())
	}
	db.bg.start(db)
	return nil
}

// storeOptions sizes Pebble by the memory budget: an eighth is its cache, an eighth a memtable, of 4 to 16 MiB: Pebble
// preallocates log files of that size, which a small database should not notice.
func (db *DB) storeOptions(fs vfs.FS) *pebble.Options {
	o := &pebble.Options{
		FS:                          fs,
		FormatMajorVersion:          storeFormat,
		Logger:                      storeLogger{&db.fault},
		MemTableSize:                uint64(min(max(db.opts.MemoryBytes/8, 4<<20), 16<<20)),
		MemTableStopWritesThreshold: 3,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		MaxOpenFiles:                1000,
		EventListener:               db.storeEvents(),
		Cleaner:                     newPromptCleaner(pebble.DeleteCleaner{}.Clean),
	}
	// Nearly all bytes are blocks, which their own codecs have compressed; trying again took a tenth of the CPU of ingest.
	// Catalogue, index and series records compress well, and come to rest in the lowest level, those of a small database in the table that Close flushes.
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings {
		if db.ops.closed.Load() {
			return pebble.UniformDBCompressionSettings(block.FastCompression)
		}
		c := pebble.UniformDBCompressionSettings(block.NoCompression)
		c.Levels[len(c.Levels)-1] = block.FastCompression
		return c
	})
	for i := range o.Levels {
		o.Levels[i].BlockSize = 8 << 10
		o.Levels[i].IndexBlockSize = 64 << 10
	}
	o.TargetFileSizes[0] = 8 << 20
	// The default scheduler also looks around ten times a second, for stores that share a limit: nine tenths of the CPU of
	// an idle database (0.22 against 0.02 % of a core). One store schedules enough when a flush or compaction ends.
	o.Experimental.CompactionScheduler = pebble.NewConcurrencyLimitSchedulerWithNoPeriodicGrantingForTest()
	return o
}

func (db *DB) storeEvents() *pebble.EventListener {
	return &pebble.EventListener{
		FlushEnd: db.flushes.ended,
		BackgroundError: func(err error) {
			db.stats.backgroundErrors.Add(1)
			db.flushes.backgroundError(err)
			db.opts.Logger.Warn("storage background work failed; it is tried again", "error", err)
		},
		// Without this Pebble ends the process. Whoever reads the table gets the error.
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			db.opts.Logger.Error("stored data is damaged", "file", i.Path, "error", i.Details)
		},
	}
}

// Close waits for running operations and views, stops background work, writes what opening would otherwise have to
// replay, and releases the directory. Later calls return ErrClosed.
func (db *DB) Close() error {
	if !db.ops.shut() {
		return fmt.Errorf("tsdb: %w", ErrClosed)
	}
	db.bg.stop()
	err := db.fault.check()
	if err == nil {
		err = db.settle()
	}
	if db.fault.broken.Load() {
		return errors.Join(err, db.abandon())
	}
	err = errors.Join(err, db.guard(db.p.Close), db.lazy.close())
	if ferr := db.fault.check(); err == nil {
		err = ferr
	}
	if err == nil {
		err = db.dropLogs()
	}
	return errors.Join(err, db.release())
}

// closeSealing is how long closing makes blocks of long tails, which take half of the space. What is left then goes into records
// as it is: somebody waits.
const closeSealing = 2 * time.Second

// settle writes what opening would otherwise have to replay.
func (db *DB) settle() error {
	enough := time.Now().Add(closeSealing)
	err := db.head.each(func(ref Ref) error {
		if time.Now().Before(enough) {
			return db.seal(ref, sealLong)
		}
		return db.seal(ref, sealNothing)
	})
	if err != nil {
		return err
	}
	if err := db.trimWholeLog(); err != nil {
		return err
	}
	return db.flush(context.Background())
}

// dropLogs deletes Pebble's log files, which after a flush, a trim of the whole log and a clean close hold nothing: in a small database
// they would be most of its size.
func (db *DB) dropLogs() error {
	nums, err := listLogs(db.opts.FS, db.dir)
	if err != nil {
		return err
	}
	for _, num := range nums {
		if err := db.opts.FS.Remove(logPath(db.opts.FS, db.dir, num)); err != nil {
			return fmt.Errorf("tsdb: removing an empty log file: %w", err)
		}
	}
	return nil
}

// abandon gives up a store that failed. Pebble may have parked a goroutine that holds its locks, so it is closed aside
// and not waited for; the directory's lock is ours.
func (db *DB) abandon() error {
	go func() {
		defer func() { _ = recover() }() // closing a broken store may find it inconsistent; nothing depends on it any more
		_ = db.p.Close()
	}()
	return errors.Join(db.lazy.close(), db.release())
}
