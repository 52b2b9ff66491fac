package main

import (
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// openStore opens Pebble with the small memory of an embedded engine.
func openStore(dir string, separate bool) (*pebble.DB, error) {
	o := &pebble.Options{
		FormatMajorVersion:          pebble.FormatValueSeparation,
		DisableWAL:                  true,
		MemTableSize:                16 << 20,
		MemTableStopWritesThreshold: 4,
		CacheSize:                   32 << 20,
		MaxOpenFiles:                2000,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		Logger:                      silent{},
	}
	if separate {
		o.Experimental.ValueSeparationPolicy = func() pebble.ValueSeparationPolicy {
			return pebble.ValueSeparationPolicy{
				Enabled: true, MinimumSize: 256, MaxBlobReferenceDepth: 10,
				RewriteMinimumAge: 5 * time.Second, TargetGarbageRatio: 0.2,
			}
		}
	}
	return pebble.Open(dir, o)
}

type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(f string, a ...any) {
	pebble.DefaultLogger.Fatalf(f, a...)
}

// written is what flushes and compactions wrote, tables and blob files together. Pebble's own total is not used because it
// counts the incoming bytes as log writes, even when there is no log.
func written(db *pebble.DB) (flushed, compacted int64) {
	for _, l := range db.Metrics().Levels {
		flushed += int64(l.TableBytesFlushed + l.BlobBytesFlushed)
		compacted += int64(l.TableBytesCompacted + l.BlobBytesCompacted)
	}
	return flushed, compacted
}

// quiesce waits until no compaction has run for a second.
func quiesce(db *pebble.DB) {
	const step, calm = 100 * time.Millisecond, 10
	last, still := int64(-1), 0
	for still < calm {
		time.Sleep(step)
		m := db.Metrics()
		count := m.Compact.Count + m.Flush.Count
		if m.Compact.NumInProgress > 0 || m.Flush.NumInProgress > 0 || count != last {
			still = 0
		} else {
			still++
		}
		last = count
	}
}
