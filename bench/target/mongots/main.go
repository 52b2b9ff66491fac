// Command mongots measures a time-series collection of MongoDB, as a user of one would lay it out today: the time, one value, and what
// names the series as the meta field. The server is the one at the URI, of version 5.0 or newer, or a mongod that the command starts.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/mongodb"
	"github.com/telemetrydb/tsdb/bench/target"
)

const (
	layout     = "timeseries"
	collection = "samples"
	firstMajor = 5 // of the servers that have time-series collections
	slowStep   = time.Minute
)

// meta is what names a series.
type meta struct {
	Resource string `bson:"resource"`
	Meter    string `bson:"meter"`
	Project  string `bson:"project"`
	Host     string `bson:"host"`
	Group    string `bson:"group"`
}

func (a meta) compare(b meta) int {
	return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Meter, b.Meter))
}

// sample is a document.
type sample struct {
	Time  primitive.DateTime `bson:"timestamp"`
	Meta  bson.Raw           `bson:"meta"`
	Value float64            `bson:"value"`
}

type timeSeries struct {
	set     *dataset.Set
	server  *mongodb.Server
	samples *mongo.Collection
	metas   []bson.Raw // by series
}

func (c *timeSeries) Open(dir string, set *dataset.Set, o target.Options) (err error) {
	if c.server, err = mongodb.Open(dir, layout, o); err != nil {
		return err
	}
	if !c.server.Ferret() && c.server.Major() < firstMajor {
		err := fmt.Errorf("%s has no time-series collections: they came with MongoDB 5.0", c.server.Version())
		_ = c.server.Close()
		return err
	}
	c.set, c.samples = set, c.server.DB().Collection(collection)
	c.metas = make([]bson.Raw, len(set.Series))
	for i, s := range set.Series {
		if c.metas[i], err = bson.Marshal(meta{s.Resource, s.Metric, s.Project, s.Host, s.Group}); err != nil {
			return err
		}
	}
	if err := c.makeCollection(); err != nil {
		return errors.Join(err, c.server.Close())
	}
	return nil
}

// makeCollection makes the collection and the indexes for the questions by series, by project and by group, unless they are there.
func (c *timeSeries) makeCollection() error {
	granularity := "seconds"
	if time.Duration(c.set.StepMillis)*time.Millisecond >= slowStep {
		granularity = "minutes"
	}
	create := options.CreateCollection()
	if !c.server.Ferret() { // FerretDB has ordinary collections only
		create.SetTimeSeriesOptions(options.TimeSeries().SetTimeField("timestamp").SetMetaField("meta").SetGranularity(granularity))
	}
	err := c.server.Do("create", func(ctx context.Context) error { return c.server.DB().CreateCollection(ctx, collection, create) })
	if err != nil && !mongodb.Exists(err) {
		return err
	}
	const up = 1
	return c.server.MakeIndexes(c.samples,
		mongodb.Index{Name: "series", Direction: up, Fields: []string{"meta.resource", "meta.meter", "timestamp"}},
		mongodb.Index{Name: "project", Direction: up, Fields: []string{"meta.project", "timestamp"}},
		mongodb.Index{Name: "group", Direction: up, Fields: []string{"meta.group", "timestamp"}})
}

func (c *timeSeries) Append(_ int, samples []dataset.Sample) error {
	models := make([]mongo.WriteModel, len(samples))
	for i, s := range samples {
		models[i] = mongo.NewInsertOneModel().SetDocument(sample{primitive.DateTime(s.Millis), c.metas[s.Series], s.Value})
	}
	return c.server.Do("insert", func(ctx context.Context) error {
		r, err := c.samples.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
		if err == nil && r.InsertedCount != int64(len(samples)) {
			err = fmt.Errorf("the server says it stored %d of %d samples", r.InsertedCount, len(samples))
		}
		return err
	})
}

// Settle waits for a checkpoint. Buckets are closed by what comes later, and there is no request for it.
func (c *timeSeries) Settle() error { return c.server.Flush() }

func (c *timeSeries) Unit() time.Duration { return time.Millisecond }

func (c *timeSeries) Version() (string, error) {
	return c.server.Version() + ", time-series collection", nil
}

func (c *timeSeries) Bytes() (int64, error) { return c.server.Bytes() }

func (c *timeSeries) Processes() []int { return c.server.Processes() }

func (c *timeSeries) Remove(o target.Options) error { return mongodb.Remove(layout, o) }

func (c *timeSeries) Close() error { return c.server.Close() }

func main() { target.Main("mongots", &timeSeries{}) }
