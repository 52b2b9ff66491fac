package engine

import (
	"encoding/binary"
	"sync"
)

// logState knows how much of the log recovery would have to replay.
type logState struct {
	trim sync.Mutex // one trim at a time, up to its commit: the number at seqKey must not go back

	mu    sync.Mutex
	first uint64    // records before it are trimmed
	bytes int64     // of the records since
	marks []logMark // ascending, one per logMarkBytes
}

type logMark struct {
	seq   uint64
	bytes int64 // of records up to seq, since Open
}

const logMarkBytes = 256 << 10

// add counts a record. Records of different series may be added slightly out of order.
func (l *logState) add(seq uint64, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes += n
	last := len(l.marks) - 1
	if last < 0 || (l.marks[last].bytes > logMarkBytes && seq > l.marks[last].seq) {
		l.marks = append(l.marks, logMark{seq: seq, bytes: n})
		return
	}
	l.marks[last].seq = max(l.marks[last].seq, seq)
	l.marks[last].bytes += n
}

func (l *logState) size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes
}

// trimTo forgets whole marks before seq and returns the range of records to delete, equal if there is nothing to gain.
func (l *logState) trimTo(seq uint64, all bool) (from, to uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from, to = l.first, l.first
	for len(l.marks) > 0 && l.marks[0].seq < seq {
		to = l.marks[0].seq + 1
		l.bytes -= l.marks[0].bytes
		l.marks = l.marks[1:]
	}
	if all {
		to = seq
	}
	l.first = to
	return from, to
}

// seqKey holds the number of the newest log record that was trimmed: a record of the form that those of the catalogue
// have, with the number as uvarint.
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

// trimLog deletes log records that no series needs any more.
func (db *DB) trimLog() error {
	db.log.trim.Lock()
	defer db.log.trim.Unlock()
	db.visible.Lock() // no batch is between its log record and the head
	need := db.seq.Load() + 1
	if s, seq := db.head.queue.oldest(); s != nil {
		need = seq
	}
	from, to := db.log.trimTo(need, need == db.seq.Load()+1)
	db.visible.Unlock()
	if from == to {
		return nil
	}
	wb := db.p.NewBatch()
	if err := wb.DeleteRange(logKey(nil, from), logKey(nil, to), nil); err != nil {
		return err
	}
	if err := wb.Set(seqKey, appendTrimmed(nil, to-1), nil); err != nil {
		return err
	}
	return db.commitLazily(wb)
}
