package main

import (
	"fmt"
	"os"

	"github.com/cockroachdb/pebble/v2"
)

func main() {
	db, err := pebble.Open(os.Args[1], &pebble.Options{ReadOnly: true, FormatMajorVersion: pebble.FormatColumnarBlocks})
	if err != nil {
		panic(err)
	}
	type st struct{ n, k, v int }
	m := map[byte]*st{}
	it, _ := db.NewIter(nil)
	for ok := it.First(); ok; ok = it.Next() {
		s := m[it.Key()[0]]
		if s == nil {
			s = &st{}
			m[it.Key()[0]] = s
		}
		v, _ := it.ValueAndErr()
		s.n++
		s.k += len(it.Key())
		s.v += len(v)
	}
	for i := 0; i < 256; i++ {
		if s := m[byte(i)]; s != nil {
			fmt.Printf("%02x n=%d key=%d val=%d avg=%d\n", i, s.n, s.k, s.v, (s.k+s.v)/s.n)
		}
	}
	fmt.Println(db.Metrics().Levels[6].TablesSize, db.Metrics().DiskSpaceUsage())
}
