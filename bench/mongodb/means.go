package mongodb

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// SumOf runs an aggregation and returns how many rows it gives and the sum of one field of them.
func (s *Server) SumOf(c *mongo.Collection, pipeline bson.A, field string) (n int, sum float64, err error) {
	err = s.Each("aggregate", func(ctx context.Context) (*mongo.Cursor, error) {
		return c.Aggregate(ctx, pipeline, options.Aggregate().SetAllowDiskUse(true))
	}, func(row bson.Raw) error {
		value, ok := row.Lookup(field).DoubleOK()
		if !ok {
			return fmt.Errorf("no number %s in %v", field, row)
		}
		n, sum = n+1, sum+value
		return nil
	})
	return n, sum, err
}

// MeansOfScan returns the number and the sum of the means, in buckets of width that are aligned to the epoch, of samples that scan reads
// (milliseconds), for a server that cannot aggregate.
func MeansOfScan(width time.Duration, scan func(emit func(times []int64, values []float64)) error) (n int, sum float64, err error) {
	type bucket struct{ sum, count float64 }
	buckets := map[int64]bucket{}
	err = scan(func(times []int64, values []float64) {
		for i, t := range times {
			b := buckets[t/width.Milliseconds()]
			buckets[t/width.Milliseconds()] = bucket{b.sum + values[i], b.count + 1}
		}
	})
	for _, b := range buckets {
		sum += b.sum / b.count
	}
	return len(buckets), sum, err
}
