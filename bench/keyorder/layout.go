package main

import (
	"encoding/binary"
	"fmt"
)

const (
	kindBlock        = 'b'
	metricsAResource = 10
)

// layout is one order of keys. A unit is what has one key a period: a metric, or a resource of ten metrics.
type layout struct {
	name           string
	metricsAUnit   int
	partitionFirst bool
}

var layouts = []layout{
	{name: "partition-first", metricsAUnit: 1, partitionFirst: true},
	{name: "metric-first", metricsAUnit: 1},
	{name: "resource-block", metricsAUnit: metricsAResource, partitionFirst: true},
}

func layoutByName(name string) (layout, error) {
	for _, l := range layouts {
		if l.name == name {
			return l, nil
		}
	}
	return layout{}, fmt.Errorf("no layout %q", name)
}

// appendKey appends the key of a unit's block in a period. The start is what the real key holds in its last field.
//
//	partition-first, resource-block   kind, partition u32, unit u32, start u64
//	metric-first                      kind, unit u32, start u64
func (l layout) appendKey(dst []byte, period, unit, periodsAPartition int) []byte {
	dst = append(dst, kindBlock)
	if l.partitionFirst {
		dst = binary.BigEndian.AppendUint32(dst, uint32(period/periodsAPartition))
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(unit))
	return binary.BigEndian.AppendUint64(dst, uint64(period))
}

// appendPartition appends the shortest key of a partition; only partition-first layouts have one.
func (l layout) appendPartition(dst []byte, partition int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, kindBlock), uint32(partition))
}
