package engine

import (
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/index"
)

// Revisions: past states of resources. One is made when what a resource is changes, and goes with the resource. In memory it is
// a resource whose ordinal is its number, indexed in a space of its own.

// Records: see catalogue_record.go.

func appendRevision(dst []byte, r *resource) []byte {
	at := len(dst)
	dst = appendMicros(appendUvarint32(beginRecord(dst), r.of), r.until)
	return endRecord(appendState(dst, r), at)
}

func decodeRevision(number uint32, rec []byte) (*resource, error) {
	r := openRecord(rec)
	of, until := r.ordinal("resource"), r.micros("revision end")
	n := r.state(number)
	n.of, n.until, n.Revision = of, until, number
	n.RevisionEnd = &n.until
	return n, r.close()
}

// readRevision returns the revision, or nil if there is none.
func readRevision(p pebble.Reader, number uint32) (r *resource, err error) {
	_, err = getRecord(p, ordinalKey(keyRevision, number), func(rec []byte) (err error) {
		r, err = decodeRevision(number, rec)
		return err
	})
	return r, err
}

// revision returns the revision, which exists: read only.
func (s *search) revision(number uint32) (*resource, error) {
	r, err := readRevision(s.snap, number)
	if err == nil && r == nil {
		err = corruptRecord(ordinalKey(keyRevision, number), formatError("missing record of a revision"))
	}
	return r, err
}

func (s *search) revisionValues(dst []index.Value, number uint32, fields []string) ([]index.Value, error) {
	r, err := s.revision(number)
	if err != nil {
		return dst, err
	}
	for _, f := range fields {
		dst = append(dst, r.value(f))
	}
	return dst, nil
}

// revisionChange holds a revision before and after a transaction; nil: there is none.
type revisionChange struct{ old, now *resource }

// keep makes a revision of what the resource was until now.
func (tx *Tx) keep(was *resource, until time.Time) error {
	number, err := nextOrdinal(&tx.counts.revision, KindResource, was.ID.String())
	if err != nil {
		return err
	}
	r := newResource(number, &was.Resource, nil)
	r.of, r.until, r.Revision = was.ord, micros(until), number
	r.RevisionEnd, r.Source, r.Meters = &r.until, "", nil
	tx.revisions[number] = &revisionChange{now: r}
	c := tx.resources[was.ID]
	c.kept = append(c.kept, number)
	return nil
}

// ownRevision returns a revision that is there, for changing; nil: the transaction has deleted it.
func (tx *Tx) ownRevision(number uint32) (*resource, error) {
	if c := tx.revisions[number]; c != nil {
		return c.now, nil
	}
	r, err := readRevision(tx.cat.p, number)
	if err == nil && r == nil {
		err = corruptRecord(ordinalKey(keyRevision, number), formatError("missing record of a revision"))
	}
	if err != nil {
		return nil, err
	}
	now := newResource(number, &r.Resource, nil)
	now.of = r.of
	tx.revisions[number] = &revisionChange{old: r, now: now}
	return now, nil
}

// dropRevisions deletes all revisions of a resource.
func (tx *Tx) dropRevisions(id UUID) error {
	if tx.cat.counts.Load().revisions > 0 {
		set, err := tx.posting(spaceRevisions, fieldID, uuidValue(id))
		if err != nil {
			return err
		}
		for it := set.Iterator(); it.HasNext(); {
			number := it.Next()
			if _, err := tx.ownRevision(number); err != nil {
				return err
			}
			tx.revisions[number].now = nil
		}
	}
	c := tx.resources[id]
	for _, number := range c.kept {
		delete(tx.revisions, number)
	}
	c.kept = nil
	return nil
}

func (tx *Tx) flushRevision(ch *index.Change, number uint32, c *revisionChange, buf *[]byte) error {
	if c.old == nil {
		tx.counts.revisions++
	}
	indexState(ch, spaceRevisions, number, c.old, c.now)
	key := ordinalKey(keyRevision, number)
	if c.now == nil {
		tx.counts.revisions--
		return tx.batch.Delete(key, nil)
	}
	*buf = appendRevision((*buf)[:0], c.now)
	return tx.batch.Set(key, *buf, nil)
}

// CountRevisions returns how many past states of resources there are.
func (db *DB) CountRevisions() int { return int(db.cat.counts.Load().revisions) }
