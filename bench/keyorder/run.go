package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/bench/cost"
)

// config is one case.
type config struct {
	dir               string
	layout            layout
	separate, ordered bool
	metrics, periods  int
	periodsAPartition int
}

func (c config) units() int { return c.metrics / c.layout.metricsAUnit }

// run loads, reads and expires, in a directory that it makes and removes.
func run(c config) (r result, err error) {
	if err := os.RemoveAll(c.dir); err != nil {
		return r, err
	}
	defer os.RemoveAll(c.dir)
	db, err := openStore(c.dir, c.separate)
	if err != nil {
		return r, err
	}
	r.Layout, r.Separate, r.Metrics, r.Order = c.layout.name, c.separate, c.metrics, "random"
	if c.ordered {
		r.Order = "ordinal"
	}
	err = cmp.Or(load(db, c, &r), read(db, c, &r), expire(db, c, &r), db.Close())
	return r, err
}

// blockSize draws from 300 to 3,000 bytes, evenly on a logarithmic scale (mean 1,173).
func blockSize(rnd *rand.Rand) int {
	return int(300 * math.Pow(10, rnd.Float64()))
}

func load(db *pebble.DB, c config, r *result) error {
	rnd := rand.New(rand.NewPCG(1, uint64(c.metrics)))
	noise := make([]byte, 64<<20)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	order := make([]int, c.units())
	for i := range order {
		order[i] = i
	}
	start, cpu := time.Now(), cost.CPUSeconds()
	var key []byte
	for period := range c.periods {
		if !c.ordered {
			rnd.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		for some := range slices.Chunk(order, 100) {
			b := db.NewBatch()
			for _, unit := range some {
				size := 0
				for range c.layout.metricsAUnit {
					size += blockSize(rnd)
				}
				at := rnd.IntN(len(noise) - size)
				key = c.layout.appendKey(key[:0], period, unit, c.periodsAPartition)
				if err := b.Set(key, noise[at:at+size], nil); err != nil {
					return err
				}
				r.LogicalBytes += int64(len(key) + size)
			}
			if err := b.Commit(pebble.NoSync); err != nil {
				return err
			}
		}
	}
	if err := db.Flush(); err != nil {
		return err
	}
	quiesce(db)
	r.LoadSeconds, r.LoadCPU = time.Since(start).Seconds(), cost.CPUSeconds()-cpu
	r.MicrosAMetric = r.LoadSeconds / float64(c.metrics*c.periods) * 1e6
	r.FlushedBytes, r.CompactBytes = written(db)
	r.WriteAmp = float64(r.FlushedBytes+r.CompactBytes) / float64(r.LogicalBytes)
	r.DiskBytes, r.ReadAmp = cost.TreeBytes(c.dir), db.Metrics().ReadAmp()
	return nil
}

// expire drops the oldest quarter of the periods as retention would.
func expire(db *pebble.DB, c config, r *result) error {
	gone := c.periods / 4 / c.periodsAPartition * c.periodsAPartition
	r.ExpireDue = r.LogicalBytes / int64(c.periods) * int64(gone)
	f0, w0 := written(db)
	start, cpu, before := time.Now(), cost.CPUSeconds(), cost.TreeBytes(c.dir)
	if c.layout.partitionFirst {
		from, to := c.layout.appendPartition(nil, 0), c.layout.appendPartition(nil, gone/c.periodsAPartition)
		if err := db.DeleteRange(from, to, pebble.NoSync); err != nil {
			return err
		}
	} else if err := expireEach(db, c, gone); err != nil {
		return err
	}
	if err := db.Flush(); err != nil {
		return err
	}
	r.ExpireCallSeconds = time.Since(start).Seconds()
	quiesce(db)
	r.ExpireSettleSeconds, r.ExpireCPU = time.Since(start).Seconds(), cost.CPUSeconds()-cpu
	f1, w1 := written(db)
	r.ExpireWritten, r.ExpireFreed = f1+w1-f0-w0, before-cost.TreeBytes(c.dir)
	return nil
}

func expireEach(db *pebble.DB, c config, gone int) error {
	for first := 0; first < c.units(); first += 1000 {
		b := db.NewBatch()
		for unit := first; unit < min(first+1000, c.units()); unit++ {
			from := c.layout.appendKey(nil, 0, unit, c.periodsAPartition)
			to := c.layout.appendKey(nil, gone, unit, c.periodsAPartition)
			if err := b.DeleteRange(from, to, nil); err != nil {
				return err
			}
		}
		if err := b.Commit(pebble.NoSync); err != nil {
			return fmt.Errorf("expire from unit %d: %w", first, err)
		}
	}
	return nil
}
