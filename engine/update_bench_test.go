package engine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
)

// BenchmarkUpdate is transactions one by one as a server gets them, each durable before the next of its client:
// a resource with ten metrics made, the same and deleted again, one attribute of a resource changed.
func BenchmarkUpdate(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("create/clients=%d", clients), func(b *testing.B) { benchUpdates(b, clients, benchCreate) })
		b.Run(fmt.Sprintf("delete/clients=%d", clients), func(b *testing.B) { benchUpdates(b, clients, benchDelete) })
		b.Run(fmt.Sprintf("change/clients=%d", clients), func(b *testing.B) { benchUpdates(b, clients, benchChange) })
	}
}

func benchUpdates(b *testing.B, clients int, update func(db *DB, i int) error) {
	db, err := Open(b.TempDir(), &Options{MemoryBytes: 256 << 20})
	if err != nil {
		b.Fatal(err)
	}
	benchFill(b, db, 2000, 10)
	var next atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	done := make(chan error, clients)
	for range clients {
		go func() {
			for {
				i := int(next.Add(1))
				if i > b.N {
					done <- nil
					return
				}
				if err := update(db, i); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for range clients {
		err = errors.Join(err, <-done)
	}
	b.StopTimer()
	if err = errors.Join(err, db.Close()); err != nil {
		b.Fatal(err)
	}
}

func benchCreate(db *DB, i int) error {
	return db.Update(context.Background(), func(tx *Tx) error {
		r := benchResource(1_000_000 + i)
		if err := tx.CreateResource(r); err != nil {
			return err
		}
		for k := range benchNames {
			m := Metric{Name: &benchNames[k], Unit: ptr("B"), Creator: r.Creator, Policy: "low", Resource: &r.ID}
			if _, err := tx.CreateMetric(m); err != nil {
				return err
			}
		}
		return nil
	})
}

func benchDelete(db *DB, i int) error {
	return errors.Join(benchCreate(db, i), db.Update(context.Background(), func(tx *Tx) error {
		return tx.DeleteResource(benchUUID(1_000_000 + i))
	}))
}

func benchChange(db *DB, i int) error {
	return db.Update(context.Background(), func(tx *Tx) error {
		r, err := tx.Resource(benchUUID(i % 2000))
		if err != nil {
			return err
		}
		r.Attributes["host"] = textValue(fmt.Sprintf("compute-%d", i%501))
		r.RevisionStart = r.RevisionStart.Add(1)
		return tx.UpdateResource(r)
	})
}
