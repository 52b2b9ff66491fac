package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/encoding"
)

// Blocks of partitions that have gone by are encoded once more, harder: the search for a form costs several times that at
// ingest, and a compressed column is unpacked whole to read any part of it, which old data can bear and new data cannot.

const (
	coldEvery  = time.Minute // between looks for partitions that have gone by
	coldBlocks = 256         // read in one look: a few hundredths of a second
	coldLive   = 2           // newest partitions of a tier, left alone
)

// coldKey holds how far a tier has been encoded anew: a record of the form that those of the catalogue have, with the
// block key to go on with.
func coldKey(kind byte, width int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{keyMeta, metaCold, kind}, uint64(width))
}

const metaCold = 'c'

func decodeCold(rec []byte) (blockKey, error) {
	r := openRecord(rec)
	k, ok := parseBlockKey([]byte(r.text("block key")))
	if err := r.close(); err != nil {
		return k, err
	}
	if !ok {
		return k, formatError("mark of what is cold is no block key")
	}
	return k, nil
}

// recode goes on where the last call stopped, in every tier.
func (db *DB) recode() error {
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyRaw}, UpperBound: []byte{keyEnd}})
	if err != nil {
		return fmt.Errorf("tsdb: reading blocks: %w", err)
	}
	defer it.Close()
	past := map[blockKey][]uint32{} // partitions by tier
	err = db.eachPartition(it, func(kind byte, width int64, p uint32) error {
		if kind == keyNames {
			return nil
		}
		tier := blockKey{kind: kind, width: width}
		past[tier] = append(past[tier], p)
		return nil
	})
	if err != nil {
		return err
	}
	for tier, ps := range past {
		if len(ps) > coldLive {
			if err := db.recodeTier(it, tier, ps[len(ps)-coldLive]); err != nil {
				return err
			}
		}
	}
	return nil
}

// recodeTier encodes up to coldBlocks blocks of the partitions before live anew.
func (db *DB) recodeTier(it *pebble.Iterator, tier blockKey, live uint32) error {
	at, err := db.coldMark(tier)
	if err != nil {
		return err
	}
	from := at
	ok := it.SeekGE(at.append(nil))
	for n := 0; ok && n < coldBlocks; n++ {
		k, good := parseBlockKey(it.Key())
		if !good || k.kind != tier.kind || k.width != tier.width || k.partition >= live {
			break
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		var damage *CorruptError
		if err := db.recodeBlock(k, v); errors.As(err, &damage) {
			db.note(err) // and on to the next, or this one would be in the way for ever
		} else if err != nil {
			return err
		}
		at = k
		at.end++
		ok = it.Next()
	}
	if err := it.Error(); err != nil || at == from {
		return err
	}
	wb := db.p.NewBatch()
	if err := wb.Set(coldKey(tier.kind, tier.width), endRecord(appendText(beginRecord(nil), string(at.append(nil))), 0), nil); err != nil {
		return err
	}
	return db.commitLazily(wb)
}

// coldMark returns the key to go on with.
func (db *DB) coldMark(tier blockKey) (blockKey, error) {
	k, key := tier, coldKey(tier.kind, tier.width)
	_, err := getRecord(db.p, key, func(rec []byte) (err error) {
		if k, err = decodeCold(rec); err == nil && (k.kind != tier.kind || k.width != tier.width) {
			err = formatError("mark of another tier")
		}
		return err
	})
	return k, err
}

// recodeBlock writes a block anew if that makes it smaller by a fortieth. A block that sealing has joined to another one
// meanwhile is gone, and stays so: both decide under the series' lock.
func (db *DB) recodeBlock(k blockKey, v []byte) error {
	if len(v) == 0 || v[0] != blockColumns {
		return nil
	}
	b, err := parseColumns(k, v)
	if err != nil {
		return err
	}
	ts, cols, err := wholeBlock(&b)
	if err != nil {
		return corruptBlock(k, &b, err)
	}
	var enc encoding.Encoder
	cold := enc.AppendBlock([]byte{blockColumns}, ts, cols, encoding.Cold)
	if len(cold) > len(v)-len(v)/40 {
		return nil
	}
	key := k.append(nil)
	db.head.lockOne(k.ref)
	defer db.head.unlockOne(k.ref)
	now, closer, err := db.p.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	same := bytes.Equal(now, v)
	if err := closer.Close(); err != nil || !same {
		return err
	}
	wb := db.p.NewBatch()
	if err := wb.Set(key, cold, nil); err != nil {
		return err
	}
	db.stats.recoded.Add(1)
	return db.commitLazily(wb)
}

// wholeBlock decodes all of a block.
func wholeBlock(b *encoding.Block) ([]int64, []encoding.Column, error) {
	ts, err := b.AppendTimes(nil, 0, b.Len())
	if err != nil {
		return nil, nil, err
	}
	cols := make([]encoding.Column, b.Columns())
	for c := range cols {
		cols[c].ID = b.ID(c)
		if cols[c].Values, err = b.AppendValues(nil, c, 0, b.Len()); err != nil {
			return nil, nil, err
		}
		present, all, err := b.AppendPresent(nil, c, 0, b.Len())
		if err != nil {
			return nil, nil, err
		}
		if !all {
			cols[c].Present = present
		}
	}
	return ts, cols, nil
}
