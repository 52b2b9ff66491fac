package engine

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync"
)

// A sample's id is made of what names the sample (metric, time, place among the samples of its instant), enciphered so that it looks like a
// random UUID and tells nothing. It is stored nowhere. Of its 128 bits 6 say "random UUID"; the other 122 are
//
//	32  metric
//	63  time
//	16  place
//	11  zeros: of 2,048 foreign UUIDs one has them, and names no sample, most likely
//
// enciphered as two halves of 61 bits by a Feistel network of six rounds whose function is AES under a key of the database's own.

// sampleIDs holds the cipher.
type sampleIDs struct {
	mu     sync.Mutex
	cipher cipher.Block // nil: not read yet
}

var sampleIDKey = []byte{keyMeta, metaSampleKey}

const (
	halfMask     = 1<<61 - 1
	feistelSteps = 6
)

// idCipher returns the cipher of the database, making its key if there is none.
func (db *DB) idCipher() (cipher.Block, error) {
	ids := &db.ids
	ids.mu.Lock()
	defer ids.mu.Unlock()
	if ids.cipher != nil {
		return ids.cipher, nil
	}
	key := make([]byte, 16)
	found, err := getRecord(db.p, sampleIDKey, func(rec []byte) (err error) {
		key, err = decodeSampleKey(rec)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !found {
		_, _ = rand.Read(key) // never fails
		wb := db.p.NewBatch()
		if err := wb.Set(sampleIDKey, endRecord(append(beginRecord(nil), key...), 0), nil); err != nil {
			return nil, err
		}
		if err := db.commit(wb); err != nil {
			return nil, err
		}
		if err := db.wait(wb); err != nil { // an id that was given out must be understood for ever
			return nil, err
		}
	}
	ids.cipher, err = aes.NewCipher(key)
	return ids.cipher, err
}

func decodeSampleKey(rec []byte) ([]byte, error) {
	r := openRecord(rec)
	key := []byte(r.bytes(16, "key of sample ids"))
	return key, r.close()
}

// round is the round function: 61 bits of the cipher of the half. b is room for 16 bytes, which the interface takes from the stack.
func round(c cipher.Block, b []byte, step byte, half uint64) uint64 {
	binary.LittleEndian.PutUint64(b, uint64(step))
	binary.LittleEndian.PutUint64(b[8:], half)
	c.Encrypt(b, b)
	return binary.LittleEndian.Uint64(b) & halfMask
}

// SampleIDs gives and understands ids of samples. It may be used concurrently, as long as the database is open.
type SampleIDs struct{ c cipher.Block }

// SampleIDs returns what gives and understands the ids of the database's samples.
func (db *DB) SampleIDs() (SampleIDs, error) {
	if err := db.begin(); err != nil {
		return SampleIDs{}, err
	}
	defer db.end()
	c, err := db.idCipher()
	return SampleIDs{c}, err
}

// Make returns the id of a sample: its metric, its time in nanoseconds and its Seq, which is below 65,536. It is the same for ever, unless a
// late sample comes before it at its instant, which none does: Seq counts by arrival.
func (ids SampleIDs) Make(m Ref, t int64, seq uint32) UUID {
	// 122 bits: metric 32, time 63, seq 16, zeros 11; the high half has the metric and 29 bits of the time.
	hi := uint64(m)<<29 | uint64(t)>>34
	lo := (uint64(t)&(1<<34-1))<<27 | uint64(seq&0xffff)<<11
	b := make([]byte, 16)
	for step := range byte(feistelSteps) {
		hi, lo = lo, hi^round(ids.c, b, step, lo)
	}
	var id UUID
	// hi: 48 bits, version, 12 bits, and the last one goes with lo behind the variant.
	binary.BigEndian.PutUint64(id[:], hi>>13<<16|4<<12|hi>>1&0xfff)
	binary.BigEndian.PutUint64(id[8:], 2<<62|hi&1<<61|lo)
	return id
}

// Parse takes an id apart. False: it is none that Make has made.
func (ids SampleIDs) Parse(id UUID) (m Ref, t int64, seq uint32, ok bool) {
	a, b := binary.BigEndian.Uint64(id[:]), binary.BigEndian.Uint64(id[8:])
	if a>>12&15 != 4 || b>>62 != 2 {
		return 0, 0, 0, false
	}
	hi, lo := a>>16<<13|a&0xfff<<1|b>>61&1, b&halfMask
	buf := make([]byte, 16)
	for step := byte(feistelSteps); step > 0; step-- {
		hi, lo = lo^round(ids.c, buf, step-1, hi), hi
	}
	t = int64(hi&(1<<29-1)<<34 | lo>>27)
	return Ref(hi >> 29), t, uint32(lo >> 11 & 0xffff), lo&(1<<11-1) == 0
}

// SampleByID returns the sample of an id, as columns of length 1 with Metrics set. ErrNotFound of KindSample.
func (db *DB) SampleByID(ctx context.Context, id UUID) (*Samples, error) {
	none := &Error{Kind: KindSample, Name: id.String(), Err: ErrNotFound}
	ids, err := db.SampleIDs()
	if err != nil {
		return nil, err
	}
	m, t, seq, ok := ids.Parse(id)
	if !ok || t >= maxSampleTime {
		return nil, none
	}
	out, err := db.sampleAt(ctx, m, t, seq)
	if out == nil && err == nil {
		err = none
	}
	return out, err
}

// sampleAt returns the sample of a place; nil: there is none.
func (db *DB) sampleAt(ctx context.Context, m Ref, t int64, seq uint32) (*Samples, error) {
	v, err := db.View(m)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer v.Close()
	r := v.Samples(ctx, m, t, t+1, SampleQuery{OldestFirst: true})
	for r.Next() {
		c := r.Columns()
		for i := range c.Times {
			if c.Seqs[i] == seq {
				out := Samples{Times: c.Times[i : i+1], Values: c.Values[i : i+1], Contexts: c.Contexts[i : i+1],
					Arrivals: c.Arrivals[i : i+1], Seqs: c.Seqs[i : i+1], Metrics: []Ref{m}}
				return &out, nil
			}
		}
	}
	return nil, r.Err()
}
