package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/telemetrydb/tsdb/bench/mongodb"
	"github.com/telemetrydb/tsdb/bench/target"
)

// Scan asks for times and values of one series, and of several for the meta field too.
func (c *timeSeries) Scan(s target.Selection, from, to int64, emit func([]int64, []float64)) error {
	match, err := c.match(s)
	if err != nil {
		return err
	}
	o := options.Find().SetSort(bson.D{{Key: "timestamp", Value: 1}})
	if s.Key != "" {
		found, err := c.find(append(match, within(from, to)), o.SetProjection(bson.D{{Key: "_id", Value: 0}}))
		for _, m := range slices.SortedFunc(maps.Keys(found), meta.compare) {
			emit(found[m].Times, found[m].Values)
		}
		return err
	}
	return c.one(append(match, within(from, to)), o, emit)
}

// Newest asks for the newest n samples of a series.
func (c *timeSeries) Newest(series, n int, emit func([]int64, []float64)) error {
	match, err := c.match(target.Selection{Series: series})
	if err != nil {
		return err
	}
	return c.one(match, options.Find().SetSort(bson.D{{Key: "timestamp", Value: -1}}).SetLimit(int64(n)), emit)
}

func (c *timeSeries) one(match bson.D, o *options.FindOptions, emit func([]int64, []float64)) error {
	found, err := c.find(match, o.SetProjection(bson.D{{Key: "_id", Value: 0}, {Key: "timestamp", Value: 1}, {Key: "value", Value: 1}}))
	for _, one := range found {
		emit(one.Times, one.Values)
	}
	return err
}

func (c *timeSeries) match(s target.Selection) (bson.D, error) {
	switch s.Key {
	case "":
		one := c.set.Series[s.Series]
		return bson.D{{Key: "meta.resource", Value: one.Resource}, {Key: "meta.meter", Value: one.Metric}}, nil
	case "group", "project":
		return bson.D{{Key: "meta." + s.Key, Value: s.Value}}, nil
	}
	return nil, fmt.Errorf("no field for the label %s", s.Key)
}

func within(from, to int64) bson.E {
	return bson.E{Key: "timestamp", Value: bson.D{{Key: "$gte", Value: primitive.DateTime(from)}, {Key: "$lte", Value: primitive.DateTime(to)}}}
}

var errShape = errors.New("a document without time and value")

// find reads what passes, by series if the meta field is asked for.
func (c *timeSeries) find(match bson.D, o *options.FindOptions) (map[meta]*mongodb.Columns, error) {
	found := map[meta]*mongodb.Columns{}
	byBytes := map[string]*mongodb.Columns{} // of the undecoded meta field
	err := c.server.Each("find", func(ctx context.Context) (*mongo.Cursor, error) {
		return c.samples.Find(ctx, match, o)
	}, func(doc bson.Raw) error {
		millis, ok1 := doc.Lookup("timestamp").DateTimeOK()
		value, ok2 := doc.Lookup("value").DoubleOK()
		if !ok1 || !ok2 {
			return errShape
		}
		raw := doc.Lookup("meta").Value
		one := byBytes[string(raw)]
		if one == nil {
			var m meta
			if len(raw) > 0 {
				if err := bson.Unmarshal(raw, &m); err != nil {
					return err
				}
			}
			one = &mongodb.Columns{}
			byBytes[string(raw)], found[m] = one, one
		}
		one.Add(millis, value)
		return nil
	})
	return found, err
}

// Means has the server cut the time of one series into buckets and average each.
func (c *timeSeries) Means(series int, from, to int64, width time.Duration) (n int, sum float64, err error) {
	return c.means(target.Selection{Series: series}, from, to, width)
}

// GroupMeans is the same over the series of a group together.
func (c *timeSeries) GroupMeans(key, value string, from, to int64, width time.Duration) (n int, sum float64, err error) {
	return c.means(target.Selection{Key: key, Value: value}, from, to, width)
}

// means aggregates in the server. FerretDB has no such expressions: there the samples are read.
func (c *timeSeries) means(s target.Selection, from, to int64, width time.Duration) (n int, sum float64, err error) {
	if c.server.Ferret() {
		return mongodb.MeansOfScan(width, func(emit func([]int64, []float64)) error { return c.Scan(s, from, to, emit) })
	}
	match, err := c.match(s)
	if err != nil {
		return 0, 0, err
	}
	return c.server.SumOf(c.samples, averages(append(match, within(from, to)), width), "mean")
}

// averages is the pipeline. $dateTrunc counts from the year 2000, which is a whole number of buckets after the epoch if they divide a day.
func averages(match bson.D, width time.Duration) bson.A {
	bucket := bson.D{{Key: "$dateTrunc", Value: bson.D{
		{Key: "date", Value: "$timestamp"}, {Key: "unit", Value: "second"}, {Key: "binSize", Value: int64(width / time.Second)}}}}
	return bson.A{
		bson.D{{Key: "$match", Value: match}},
		bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: bucket}, {Key: "mean", Value: bson.D{{Key: "$avg", Value: "$value"}}}}}},
		bson.D{{Key: "$sort", Value: bson.D{{Key: "_id", Value: 1}}}},
	}
}

// Lookup asks which series there are by grouping on the meta field, which the server does by bucket.
func (c *timeSeries) Lookup(key, value string) (series, nameBytes int, err error) {
	match, err := c.match(target.Selection{Key: key, Value: value})
	if err != nil {
		return 0, 0, err
	}
	pipeline := bson.A{bson.D{{Key: "$match", Value: match}}, bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$meta"}}}}}
	err = c.server.Each("aggregate", func(ctx context.Context) (*mongo.Cursor, error) {
		return c.samples.Aggregate(ctx, pipeline)
	}, func(doc bson.Raw) error {
		var row struct {
			Meta meta `bson:"_id"`
		}
		if err := bson.Unmarshal(doc, &row); err != nil {
			return err
		}
		series++
		m := row.Meta
		nameBytes += len(m.Resource) + len(m.Meter) + len(m.Project) + len(m.Host) + len(m.Group)
		return nil
	})
	return series, nameBytes, err
}
