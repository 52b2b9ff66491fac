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

// newestFirst is the order of Ceilometer's lists of samples.
var newestFirst = bson.D{{Key: "timestamp", Value: -1}}

// Scan lists samples as Ceilometer's API did: whole documents, newest first. They are turned round here.
func (c *ceilometer) Scan(s target.Selection, from, to int64, emit func([]int64, []float64)) error {
	filter, err := c.filter(s)
	if err != nil {
		return err
	}
	found, err := c.list(append(filter, within(from, to)), 0)
	if err != nil {
		return err
	}
	for _, name := range slices.SortedFunc(maps.Keys(found), seriesName.compare) {
		one := found[name]
		slices.Reverse(one.Times)
		slices.Reverse(one.Values)
		emit(one.Times, one.Values)
	}
	return nil
}

// Newest lists the newest n samples of a meter of a resource.
func (c *ceilometer) Newest(series, n int, emit func([]int64, []float64)) error {
	filter, err := c.filter(target.Selection{Series: series})
	if err != nil {
		return err
	}
	found, err := c.list(filter, n)
	for _, one := range found {
		emit(one.Times, one.Values)
	}
	return err
}

func within(from, to int64) bson.E {
	return bson.E{Key: "timestamp", Value: bson.D{{Key: "$gte", Value: primitive.DateTime(from)}, {Key: "$lt", Value: primitive.DateTime(to + 1)}}}
}

func (c *ceilometer) filter(s target.Selection) (bson.D, error) {
	switch s.Key {
	case "":
		one := c.set.Series[s.Series]
		return bson.D{{Key: "counter_name", Value: one.Metric}, {Key: "resource_id", Value: one.Resource}}, nil
	case "group":
		return bson.D{{Key: "counter_unit", Value: s.Value}}, nil
	case "project":
		return bson.D{{Key: "project_id", Value: s.Value}}, nil
	}
	return nil, fmt.Errorf("no field for the label %s", s.Key)
}

// list reads the newest samples that pass, at most limit of them if it is not 0.
func (c *ceilometer) list(filter bson.D, limit int) (map[seriesName]*mongodb.Columns, error) {
	found := map[seriesName]*mongodb.Columns{}
	err := c.server.Each("find in meter", func(ctx context.Context) (*mongo.Cursor, error) {
		return c.meters.Find(ctx, filter, options.Find().SetSort(newestFirst).SetLimit(int64(limit)))
	}, func(doc bson.Raw) error { return c.take(doc, found) })
	return found, err
}

var errShape = errors.New("a document without the fields of a sample")

func (c *ceilometer) take(doc bson.Raw, found map[seriesName]*mongodb.Columns) error {
	resource, ok1 := doc.Lookup("resource_id").StringValueOK()
	meter, ok2 := doc.Lookup("counter_name").StringValueOK()
	millis, ok3 := doc.Lookup("timestamp").DateTimeOK()
	value, ok4 := doc.Lookup("counter_volume").DoubleOK()
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return errShape
	}
	name := seriesName{resource, meter}
	if found[name] == nil {
		if !c.known[name] {
			return fmt.Errorf("a sample of %s of %s, which is no series of this set", meter, resource)
		}
		found[name] = &mongodb.Columns{}
	}
	found[name].Add(millis, value)
	return nil
}

// Means asks for the statistics of a meter of a resource.
func (c *ceilometer) Means(series int, from, to int64, width time.Duration) (n int, sum float64, err error) {
	return c.means(target.Selection{Series: series}, from, to, width)
}

// GroupMeans asks for the statistics of many meters together.
func (c *ceilometer) GroupMeans(key, value string, from, to int64, width time.Duration) (n int, sum float64, err error) {
	return c.means(target.Selection{Key: key, Value: value}, from, to, width)
}

// means asks for statistics with a period, all of them that Ceilometer gives, and adds up the averages. FerretDB has no such expressions:
// there the samples are read.
func (c *ceilometer) means(s target.Selection, from, to int64, width time.Duration) (n int, sum float64, err error) {
	if c.server.Ferret() {
		return mongodb.MeansOfScan(width, func(emit func([]int64, []float64)) error { return c.Scan(s, from, to, emit) })
	}
	filter, err := c.filter(s)
	if err != nil {
		return 0, 0, err
	}
	pipeline := statistics(append(filter, within(from, to)), from-from%width.Milliseconds(), width.Milliseconds())
	return c.server.SumOf(c.meters, pipeline, "avg")
}

// statistics is the pipeline for the samples that match, in periods of widthMillis since start.
func statistics(match bson.D, startMillis, widthMillis int64) bson.A {
	since := bson.D{{Key: "$subtract", Value: bson.A{"$timestamp", primitive.DateTime(startMillis)}}}
	period := bson.D{{Key: "$subtract", Value: bson.A{since, bson.D{{Key: "$mod", Value: bson.A{since, widthMillis}}}}}}
	volume := func(operator string) bson.D { return bson.D{{Key: operator, Value: "$counter_volume"}} }
	return bson.A{
		bson.D{{Key: "$match", Value: match}},
		bson.D{{Key: "$group", Value: bson.D{
			{Key: "_id", Value: bson.D{{Key: "period", Value: period}, {Key: "unit", Value: "$counter_unit"}}},
			{Key: "min", Value: volume("$min")}, {Key: "max", Value: volume("$max")},
			{Key: "sum", Value: volume("$sum")}, {Key: "avg", Value: volume("$avg")},
			{Key: "count", Value: bson.D{{Key: "$sum", Value: 1}}},
			{Key: "duration_start", Value: bson.D{{Key: "$min", Value: "$timestamp"}}},
			{Key: "duration_end", Value: bson.D{{Key: "$max", Value: "$timestamp"}}},
		}}},
		bson.D{{Key: "$sort", Value: bson.D{{Key: "_id.period", Value: 1}}}},
	}
}

// Lookup lists the resources of a project as Ceilometer's API did, with their metadata and meters.
func (c *ceilometer) Lookup(key, value string) (series, nameBytes int, err error) {
	if key != "project" {
		return 0, 0, fmt.Errorf("no field for the label %s", key)
	}
	order := bson.D{{Key: "user_id", Value: -1}, {Key: "project_id", Value: -1}, {Key: "last_sample_timestamp", Value: -1}}
	err = c.server.Each("find in resource", func(ctx context.Context) (*mongo.Cursor, error) {
		return c.owners.Find(ctx, bson.D{{Key: "project_id", Value: value}}, options.Find().SetSort(order))
	}, func(doc bson.Raw) error {
		var r owner
		if err := bson.Unmarshal(doc, &r); err != nil {
			return err
		}
		for _, m := range r.Meters {
			series++
			nameBytes += len(m.Name) + len(m.Unit) + len(r.ID) + len(r.Project) + len(r.Metadata.Host)
		}
		return nil
	})
	return series, nameBytes, err
}

// owner is a document of the collection resource.
type owner struct {
	ID       string `bson:"_id"`
	Project  string `bson:"project_id"`
	Metadata struct {
		Host string `bson:"host"`
	} `bson:"metadata"`
	Meters []struct {
		Name string `bson:"counter_name"`
		Unit string `bson:"counter_unit"`
	} `bson:"meter"`
}
