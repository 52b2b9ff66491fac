package engine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Message ids: samples of metrics that keep all may carry the id that their sender gave them. Beside the blocks of raw samples, in partitions
// like theirs, lies a record for each instant that has named samples; a key for each name leads from the name to the instant. Both are
// written in the batch of the samples' log record, so a name is there if its sample is.
//
// Names of an instant (keyNames, a block key whose end is the instant), in the order of Seq, of each sample:
//
//	0         it has no name
//	1 + uuid  a UUID in its canonical form
//	2 + text  any other
//
// between version and checksum of a catalogue record.

// AddNamedSample is AddSample with the id that the sender of the sample gave it. A sample whose metric and instant have one of that name
// already is a duplicate: it is not stored again. Metrics that do not keep all samples keep no names. An empty id is none.
func (b *Batch) AddNamedSample(m Ref, t int64, v float64, c ContextRef, arrival int64, id string) {
	b.AddSample(m, t, v, c, arrival)
	if id == "" {
		return
	}
	b.names = append(b.names, make([]string, len(b.rows)-1-len(b.names))...)
	b.names = append(b.names, id)
}

// nameHash is what stands for a name in keys.
func nameHash(name string) (h [16]byte, isUUID bool) {
	if len(name) == 36 {
		if u, err := ParseUUID(name); err == nil && u.String() == name {
			return u, true
		}
	}
	sum := sha256.Sum256([]byte(name))
	return [16]byte(sum[:]), false
}

const messageKeyLen = 1 + 16 + 4 + 8

// messageKey says that an instant of a metric has, or had, a sample of the name.
func messageKey(dst []byte, name string, at sampleAt) []byte {
	h, _ := nameHash(name)
	dst = append(append(dst, keyMessageID), h[:]...)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(dst, uint32(at.ref)), uint64(at.t))
}

// namesKey is where the names of an instant's samples are.
func namesKey(pl *plan, at sampleAt) blockKey {
	w := pl.widths[0]
	return blockKey{keyNames, w, uint32(at.t / span(w)), at.ref, at.t}
}

func appendNames(dst []byte, names []string) []byte {
	from := len(dst)
	dst = beginRecord(dst)
	for _, n := range names {
		h, isUUID := nameHash(n)
		switch {
		case n == "":
			dst = append(dst, 0)
		case isUUID:
			dst = append(append(dst, 1), h[:]...)
		default:
			dst = appendText(append(dst, 2), n)
		}
	}
	return endRecord(dst, from)
}

func decodeNames(rec []byte) (names []string, err error) {
	r := openRecord(rec)
	for r.err == nil && r.src != "" {
		switch r.byte("name") {
		case 0:
			names = append(names, "")
		case 1:
			names = append(names, r.uuid("name").String())
		case 2:
			names = append(names, r.text("name"))
		default:
			r.fail("name")
		}
	}
	return names, r.close()
}

// namesAt reads the names of an instant's samples.
func namesAt(p pebble.Reader, pl *plan, at sampleAt) (names []string, err error) {
	_, err = getRecord(p, namesKey(pl, at).append(nil), func(rec []byte) (err error) {
		names, err = decodeNames(rec)
		return err
	})
	return names, err
}

// naming is the names that a batch brings.
type naming struct {
	names map[sampleAt][]string // of instants, as they will be
	twice map[int]int           // rows left out: the row that has the name, -1: one that is stored
	kept  []row                 // the others
}

// named finds the rows of a batch that are stored already, by their names, and leaves them out. The caller holds their locks.
func (db *DB) named(a *appender, b *Batch) (*naming, error) {
	n := &naming{names: map[sampleAt][]string{}, twice: map[int]int{}}
	seen := map[string]int{}
	var key []byte
	for i, name := range b.names {
		r := &b.rows[i]
		if name == "" || !a.series[i].all {
			continue
		}
		key = messageKey(key[:0], name, sampleAt{r.ref, r.t})
		if first, ok := seen[string(key)]; ok {
			n.twice[i] = first
			continue
		}
		_, closer, err := db.p.Get(key)
		switch {
		case err == nil:
			closer.Close()
			n.twice[i] = -1
		case !errors.Is(err, pebble.ErrNotFound):
			return nil, fmt.Errorf("tsdb: reading: %w", err)
		default:
			seen[string(key)] = i
		}
	}
	if len(n.twice) == 0 {
		n.kept = b.rows
		return n, nil
	}
	series := a.series[:0]
	for i := range b.rows {
		if _, ok := n.twice[i]; !ok {
			n.kept, series = append(n.kept, b.rows[i]), append(series, a.series[i])
		}
	}
	clear(a.series[len(series):])
	a.series = series
	return n, nil
}

// place notes where the named rows will be, by the Seqs of those that are kept, and makes those of the batch.
func (n *naming) place(db *DB, a *appender, b *Batch, kept []uint32) error {
	seqs := make([]uint32, len(b.rows))
	k := 0
	for i := range b.rows {
		if first, ok := n.twice[i]; ok {
			if first >= 0 {
				seqs[i] = seqs[first]
			}
			continue
		}
		seqs[i] = kept[k]
		if i < len(b.names) && b.names[i] != "" && a.series[k].all && kept[k] != NoSeq {
			if err := n.add(db, a.series[k], &b.rows[i], b.names[i], int(kept[k])); err != nil {
				return err
			}
		}
		k++
	}
	for i, first := range n.twice {
		if first >= 0 {
			continue
		}
		r := &b.rows[i]
		meta, err := db.cat.metricState(r.ref)
		if err != nil {
			return err
		}
		names, err := namesAt(db.p, meta.plan(), sampleAt{r.ref, r.t})
		if err != nil {
			return err
		}
		seqs[i] = uint32(max(0, slices.Index(names, b.names[i])))
	}
	b.Seqs = seqs
	return nil
}

// add gives the sample at a place of an instant its name.
func (n *naming) add(db *DB, s *series, r *row, name string, seq int) (err error) {
	at := sampleAt{r.ref, r.t}
	names, ok := n.names[at]
	if !ok && seq > 0 {
		if names, err = namesAt(db.p, s.meta.plan(), at); err != nil {
			return err
		}
	}
	for len(names) < seq {
		names = append(names, "")
	}
	n.names[at] = append(names[:seq], name)
	return nil
}

// set puts the names into the batch of the log record.
func (n *naming) set(db *DB, wb *writeBatch) error {
	if n == nil || len(n.names) == 0 {
		return nil
	}
	for at, names := range n.names {
		meta, err := db.cat.metricState(at.ref)
		if err != nil {
			return err
		}
		if err := wb.Set(namesKey(meta.plan(), at).append(nil), appendNames(nil, names), nil); err != nil {
			return err
		}
		for _, name := range names {
			if name == "" {
				continue
			}
			if err := wb.Set(messageKey(nil, name, at), nil, nil); err != nil {
				return err
			}
		}
	}
	db.haveNames.Store(true)
	return db.expiring.noteBlocks(wb)
}

// MessageID returns the id that the sender of a sample gave it; "" if none is kept. It asks for nothing where no sample has any.
func (db *DB) MessageID(m Ref, t int64, seq uint32) (string, error) {
	if !db.haveNames.Load() {
		return "", nil
	}
	if err := db.begin(); err != nil {
		return "", err
	}
	defer db.end()
	meta, err := db.cat.metricState(m)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	names, err := namesAt(db.p, meta.plan(), sampleAt{m, t})
	if err != nil || seq >= uint32(len(names)) {
		return "", locate(err, meta.id)
	}
	return names[seq], nil
}

// SampleByMessageID returns a sample by the id that its sender gave it, as SampleByID does. If several have it, it is that of the metric
// that was made first, and of that the oldest.
func (db *DB) SampleByMessageID(ctx context.Context, id string) (*Samples, error) {
	none := &Error{Kind: KindSample, Name: id, Err: ErrNotFound}
	places, err := db.placesOf(id)
	if err != nil {
		return nil, err
	}
	for _, at := range places {
		meta, err := db.cat.metricState(at.ref)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		names, err := namesAt(db.p, meta.plan(), at)
		if err != nil {
			return nil, err
		}
		seq := slices.Index(names, id)
		if seq < 0 {
			continue
		}
		if out, err := db.sampleAt(ctx, at.ref, at.t, uint32(seq)); out != nil || err != nil {
			return out, err
		}
	}
	return nil, none
}

// placesOf returns where samples of a name are.
func (db *DB) placesOf(id string) (places []sampleAt, err error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.end()
	from := messageKey(nil, id, sampleAt{})[:1+16]
	to := append(slices.Clone(from), 0xff, 0xff, 0xff, 0xff, 0xff)
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return nil, fmt.Errorf("tsdb: reading: %w", err)
	}
	defer it.Close()
	const most = 1000 // of one name: senders do not name samples alike
	for ok := it.First(); ok && len(places) < most; ok = it.Next() {
		if k := it.Key(); len(k) == messageKeyLen {
			places = append(places, sampleAt{Ref(binary.BigEndian.Uint32(k[17:])), int64(binary.BigEndian.Uint64(k[21:]))})
		}
	}
	return places, it.Error()
}

// openNames finds out whether any sample has a name.
func (db *DB) openNames() error {
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyNames}, UpperBound: []byte{keyNames + 1}})
	if err != nil {
		return err
	}
	db.haveNames.Store(it.First())
	return it.Close()
}

// dropNames deletes the keys of the names of a metric's samples in a partition, whose records are about to be deleted.
func (db *DB) dropNames(it *pebble.Iterator, from blockKey) error {
	if from.kind != keyNames {
		return nil
	}
	var wb *writeBatch
	flush := func() error {
		if wb == nil {
			return nil
		}
		b := wb
		wb = nil
		return db.commitLazily(b)
	}
	from.end = 0
	for ok := it.SeekGE(from.append(nil)); ok; ok = it.Next() {
		k, good := parseBlockKey(it.Key())
		if !good || k.kind != keyNames || k.width != from.width || k.partition != from.partition || k.ref != from.ref {
			break
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		names, err := decodeNames(v)
		if err != nil { // what led to them stays: it leads nowhere
			db.note(&CorruptError{Key: slices.Clone(it.Key()), Err: err})
			continue
		}
		for _, n := range names {
			if n == "" {
				continue
			}
			if wb == nil {
				wb = db.p.NewBatch()
			}
			if err := wb.Delete(messageKey(nil, n, sampleAt{k.ref, k.end}), nil); err != nil {
				return err
			}
		}
		if wb != nil && wb.Count() > 1000 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return it.Error()
}
