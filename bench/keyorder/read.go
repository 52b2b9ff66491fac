package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/bench/cost"
)

const (
	warmRounds = 200
	coldRounds = 15
	manyUnits  = 1000
)

// read takes the medians of warm (page cache) and cold reads.
func read(db *pebble.DB, c config, r *result) error {
	rnd := rand.New(rand.NewPCG(2, 2))
	one := func() error { return c.readUnits(db, []int{rnd.IntN(c.units())}, 0, c.periods) }
	units := manyUnits / c.layout.metricsAUnit
	near := func() error {
		first := rnd.IntN(c.units() - units)
		list := make([]int, units)
		for i := range list {
			list[i] = first + i
		}
		period := rnd.IntN(c.periods)
		return c.readUnits(db, list, period, period+1)
	}
	spread := func() error {
		list := rnd.Perm(c.units())[:units]
		slices.Sort(list)
		period := rnd.IntN(c.periods)
		return c.readUnits(db, list, period, period+1)
	}
	for _, m := range []struct {
		f          func() error
		warm, cold *float64
		unit       time.Duration
		rounds     int
	}{
		{one, &r.OneMetricWarmMicros, &r.OneMetricColdMicros, time.Microsecond, warmRounds},
		{near, &r.NearWarmMillis, &r.NearColdMillis, time.Millisecond, warmRounds / 4},
		{spread, &r.SpreadWarmMillis, &r.SpreadColdMillis, time.Millisecond, warmRounds / 4},
	} {
		var err error
		if *m.warm, err = median(m.rounds, m.unit, nil, m.f); err != nil {
			return err
		}
		if *m.cold, err = median(coldRounds, m.unit, func() error { return cost.Forget(c.dir) }, m.f); err != nil {
			return err
		}
	}
	return nil
}

// readUnits reads every byte of the blocks of some units in the periods from, until to.
func (c config) readUnits(db *pebble.DB, units []int, from, to int) error {
	it, err := db.NewIter(nil)
	if err != nil {
		return err
	}
	defer it.Close()
	var key, end []byte
	found, touched := 0, byte(0)
	for _, unit := range units {
		for period := from; period < to; {
			key = c.layout.appendKey(key[:0], period, unit, c.periodsAPartition)
			last := to // metric-first: one seek, then neighbours
			if c.layout.partitionFirst {
				last = min(to, (period/c.periodsAPartition+1)*c.periodsAPartition)
			}
			end = c.layout.appendKey(end[:0], last-1, unit, c.periodsAPartition)
			for ok := it.SeekGE(key); ok && string(it.Key()) <= string(end); ok = it.Next() {
				v, err := it.ValueAndErr()
				if err != nil {
					return err
				}
				for i := 0; i < len(v); i += 64 {
					touched ^= v[i]
				}
				found++
			}
			period = last
		}
	}
	runtime.KeepAlive(touched) // or the reads might be optimised away
	if want := len(units) * (to - from); found != want {
		return fmt.Errorf("%s: found %d blocks, want %d", c.layout.name, found, want)
	}
	return it.Error()
}

func median(n int, unit time.Duration, before, f func() error) (float64, error) {
	took := make([]time.Duration, n)
	for i := range took {
		if before != nil {
			if err := before(); err != nil {
				return 0, err
			}
		}
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return float64(took[n/2]) / float64(unit), nil
}
