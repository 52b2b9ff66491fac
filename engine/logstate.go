package engine

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// logState knows how much of the log recovery would have to replay, and in which files it is.
//
// Sample records are written to Pebble's log and nowhere else, so a file of that log may go only when Pebble has no use for it and
// every record in it is trimmed. Files stay where they are, under their names: Pebble's manifest says from which on it reads them.
type logState struct {
	trim sync.Mutex // one trim at a time, up to its commit: the number at seqKey must not go back

	recovering atomic.Bool // the log has not been replayed yet: nothing may be trimmed

	mu      sync.Mutex
	bytes   int64      // of the records that some series may need
	added   int64      // bytes of records since trimLog last looked
	freed   int64      // bytes of records that became needless since seqKey was last written
	marks   []logMark  // ascending, one per logMarkBytes
	files   []*logFile // ascending by number
	active  *logFile   // the one that is being written; nil before Pebble has made one
	trimmed uint64     // every record up to it is durably contained in series records
}

type logMark struct {
	seq   uint64
	bytes int64 // of records up to seq, since Open
}

const logMarkBytes = 256 << 10

// trimNoteBytes is how much of the log has to become needless before that is noted, for a recovery to skip it, although no file can go.
const trimNoteBytes = 1 << 20

// logFile is a file of Pebble's log.
type logFile struct {
	num      uint64       // as in its name
	last     uint64       // no record in it has a higher number; unknownSeq while it is written or has not been read
	size     atomic.Int64 // bytes written to it
	released bool         // Pebble does not need it any more
}

const unknownSeq = math.MaxUint64

// add counts a record. Records of different series may be added slightly out of order.
func (l *logState) add(seq uint64, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes += n
	l.added += n
	last := len(l.marks) - 1
	if last < 0 || (l.marks[last].bytes > logMarkBytes && seq > l.marks[last].seq) {
		l.marks = append(l.marks, logMark{seq: seq, bytes: n})
		return
	}
	l.marks[last].seq = max(l.marks[last].seq, seq)
	l.marks[last].bytes += n
}

// size is how many bytes of records recovery would have to replay.
func (l *logState) size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes
}

// due tells whether the log has grown so much since trimLog last looked that it may be worth looking again.
func (l *logState) due() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.added >= trimNoteBytes
}

// needless forgets what records before seq took and tells whether that makes a whole file needless, or enough of one to be noted.
func (l *logState) needless(seq uint64) (file, enough bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.added = 0
	for len(l.marks) > 0 && l.marks[0].seq < seq {
		l.bytes -= l.marks[0].bytes
		l.freed += l.marks[0].bytes
		l.marks = l.marks[1:]
	}
	enough = l.freed >= trimNoteBytes
	file = slices.ContainsFunc(l.files, func(f *logFile) bool { return l.trimmed < f.last && f.last < seq })
	if file || enough {
		l.freed = 0
	}
	return file, enough
}

// found notes a file of an earlier run, before Pebble is opened.
func (l *logState) found(num uint64, size int64) {
	f := &logFile{num: num, last: unknownSeq}
	f.size.Store(size)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files = append(l.files, f)
}

// unread returns the numbers of the files found, ascending, and how long they are together.
func (l *logState) unread() (nums []uint64, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.files {
		if f.last == unknownSeq && f != l.active {
			nums = append(nums, f.num)
			bytes += f.size.Load()
		}
	}
	return nums, bytes
}

// read notes that a file found has been read and which is the highest record number in it.
func (l *logState) read(num, last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.files {
		if f.num == num {
			f.last = last
		}
	}
}

// created notes that Pebble goes on in a new file. It does so while no batch is on its way into the log, so seq, the last number
// given to a record, bounds those in the file before.
func (l *logState) created(num, seq uint64) *logFile {
	f := &logFile{num: num, last: unknownSeq}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.active != nil {
		l.active.last = seq
	}
	l.active = f
	l.files = append(l.files, f)
	return f
}

// activeSize is how long the file has become that is being written.
func (l *logState) activeSize() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.active == nil {
		return 0
	}
	return l.active.size.Load()
}

// release notes that Pebble does not need a file and tells whether nobody does, so that it must be removed now.
func (l *logState) release(num uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.files, func(f *logFile) bool { return f.num == num })
	if i < 0 {
		return true
	}
	l.files[i].released = true
	if l.files[i].last > l.trimmed || l.recovering.Load() {
		return false
	}
	l.files = slices.Delete(l.files, i, i+1)
	return true
}

// trimTo notes that the records up to seq are durably trimmed and returns the files that nobody needs. What is not removed of them
// stays until the database is closed or opened.
func (l *logState) trimTo(seq uint64) (nums []uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trimmed = max(l.trimmed, seq)
	l.files = slices.DeleteFunc(l.files, func(f *logFile) bool {
		if !f.released || f.last > l.trimmed {
			return false
		}
		nums = append(nums, f.num)
		return true
	})
	return nums
}

// kept is how many bytes there are in files that are kept for their sample records alone.
func (l *logState) kept() (n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.files {
		if f.released {
			n += f.size.Load()
		}
	}
	return n
}

// seqKey holds the number of the newest log record that was trimmed: a record of the form that those of the catalogue
// have, with the number as uvarint. Recovery skips the records up to it.
var seqKey = []byte{keyMeta, 's'}

func appendTrimmed(dst []byte, seq uint64) []byte {
	at := len(dst)
	return endRecord(binary.AppendUvarint(beginRecord(dst), seq), at)
}

func decodeTrimmed(rec []byte) (uint64, error) {
	r := openRecord(rec)
	seq := r.uvarint("log sequence")
	return seq, r.close()
}

// trimLog notes which records no series needs any more, and removes files of the log that have no others.
func (db *DB) trimLog() error {
	if db.log.recovering.Load() {
		return nil
	}
	db.log.trim.Lock()
	defer db.log.trim.Unlock()
	db.visible.Lock() // no batch is between its log record and the head
	need := db.seq.Load() + 1
	if seq := db.head.queue.oldest(&db.head); seq != 0 {
		need = seq
	}
	file, enough := db.log.needless(need)
	db.visible.Unlock()
	switch {
	case file:
		return db.trimBefore(need)
	case enough:
		// No sync: if this is lost in a crash, recovery applies records to series that contain them, which does nothing. If it is
		// not, neither are the series records, which were written before it.
		wb, err := db.noteTrimmed(need)
		if err != nil {
			return err
		}
		return db.commitLazily(wb)
	}
	return nil
}

// noteTrimmed returns a batch saying that records before need are needless.
func (db *DB) noteTrimmed(need uint64) (*writeBatch, error) {
	wb := db.p.NewBatch()
	return wb, wb.Set(seqKey, appendTrimmed(nil, need-1), nil)
}

// trimBefore makes it durable that records before need are needless, and with it, the log being written in order, the series
// records that contain them. Only then files go.
func (db *DB) trimBefore(need uint64) error {
	wb, err := db.noteTrimmed(need)
	if err != nil {
		return err
	}
	if err := db.commit(wb); err != nil {
		return err
	}
	if err := db.wait(wb); err != nil {
		return err
	}
	if err := db.syncLog(); err != nil {
		return err
	}
	return db.dropTrimmed(need - 1)
}

// dropTrimmed removes the files that nobody needs once the records up to seq are trimmed.
func (db *DB) dropTrimmed(seq uint64) (err error) {
	for _, num := range db.log.trimTo(seq) {
		if rerr := db.fs.Remove(logPath(db.fs, db.dir, num)); err == nil && rerr != nil {
			err = fmt.Errorf("tsdb: removing a trimmed log file: %w", rerr)
		}
	}
	return err
}

// trimWholeLog is for Close, when every series is whole in its record and the log is going to be deleted.
func (db *DB) trimWholeLog() error {
	db.log.trim.Lock()
	defer db.log.trim.Unlock()
	if seq := db.seq.Load(); seq != db.log.trimmed {
		return db.trimBefore(seq + 1)
	}
	return nil
}
