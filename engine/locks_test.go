package engine

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

func TestLocksOfDifferentSeriesDoNotWait(t *testing.T) {
	var h head
	var even, odd lockSet
	for ref := Ref(0); ref < 10_000; ref += 2 {
		even.add(ref)
		odd.add(ref + 1)
	}
	h.lock(&even)
	h.lock(&odd) // in one goroutine: if they had a lock in common it would wait for itself
	h.unlock(&even)
	h.lockOne(4)
	h.unlockOne(4)
	h.unlock(&odd)
	var all lockSet
	all.addAll()
	h.lock(&all)
	h.unlock(&all)
}

// TestLocksExclude has goroutines take random sets, from single locks to all of them, and count in each lock what they hold.
func TestLocksExclude(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	const refs = 3 * lockBits
	var h head
	var counts [refs]int // each guarded by its lock: the race detector looks at them too
	var want [4][refs]int
	var wg sync.WaitGroup
	for g := range want {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(g)))
			for range 500 {
				var set lockSet
				var held []Ref
				for ref, density := Ref(0), rng.IntN(refs); ref < refs; ref++ {
					if rng.IntN(refs) <= density {
						set.add(ref)
						held = append(held, ref)
					}
				}
				h.lock(&set)
				for _, ref := range held {
					counts[ref]++
					want[g][ref]++
				}
				h.unlock(&set)
				one := Ref(rng.IntN(refs))
				h.lockOne(one)
				counts[one]++
				h.unlockOne(one)
				want[g][one]++
			}
		})
	}
	wg.Wait()
	for ref := range counts {
		sum := 0
		for g := range want {
			sum += want[g][ref]
		}
		if counts[ref] != sum {
			t.Fatalf("lock %d: counted %d, want %d", ref, counts[ref], sum)
		}
	}
}

// TestLocksAreHadInTheEnd has two goroutines hold one or another of two locks without pause, while a third wants both.
func TestLocksAreHadInTheEnd(t *testing.T) {
	var h head
	h.lockOne(0)
	done, held := make(chan struct{}), make(chan struct{}, 2)
	var wg sync.WaitGroup
	for i := range Ref(2) {
		wg.Go(func() {
			held <- struct{}{}
			for next := i; ; next = 1 - next { // the two are rarely free at once
				select {
				case <-done:
					return
				default:
				}
				h.lockOne(next)
				time.Sleep(10 * time.Microsecond)
				h.unlockOne(next)
			}
		})
	}
	<-held
	<-held
	h.unlockOne(0)
	var both lockSet
	both.add(0)
	both.add(1)
	for range 100 {
		h.lock(&both)
		h.unlock(&both)
	}
	close(done)
	wg.Wait()
}
