// Command mongodb measures MongoDB as Ceilometer used it: collections meter and resource, its documents with a Nova instance's metadata, its
// indexes, its updates and its queries. The server is the one at the URI, of version 3.6 or newer, or a mongod that the command starts.
package main

import (
	"cmp"
	"context"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/mongodb"
	"github.com/telemetrydb/tsdb/bench/target"
)

const layout = "ceilometer"

type ceilometer struct {
	set     *dataset.Set
	server  *mongodb.Server
	meters  *mongo.Collection
	owners  *mongo.Collection   // Ceilometer's collection resource
	known   map[seriesName]bool // the set's
	writers []*writer
	indexes func() error // makes the indexes at the first call
}

// seriesName is how a sample's document names its series.
type seriesName struct{ resource, meter string }

func (a seriesName) compare(b seriesName) int {
	return cmp.Or(cmp.Compare(a.resource, b.resource), cmp.Compare(a.meter, b.meter))
}

func (c *ceilometer) Open(dir string, set *dataset.Set, o target.Options) (err error) {
	if c.server, err = mongodb.Open(dir, layout, o); err != nil {
		return err
	}
	c.set = set
	c.meters, c.owners = c.server.DB().Collection("meter"), c.server.DB().Collection("resource")
	c.known = make(map[seriesName]bool, len(set.Series))
	resources := map[string]int{}
	for _, s := range set.Series {
		c.known[seriesName{s.Resource, s.Metric}] = true
		if _, ok := resources[s.Resource]; !ok {
			resources[s.Resource] = len(resources)
		}
	}
	c.writers = make([]*writer, max(1, o.Writers))
	for i := range c.writers {
		c.writers[i] = &writer{c: c, resources: resources, metadata: map[string]*metadata{}}
	}
	c.indexes = sync.OnceValue(c.makeIndexes)
	return nil
}

// makeIndexes makes those that Ceilometer makes, less the one that lets samples expire.
func (c *ceilometer) makeIndexes() error {
	const up, down = 1, -1
	meters := []mongo.IndexModel{
		index("meter_idx", up, "resource_id", "user_id", "counter_name", "timestamp"),
		index("meter_project_idx", up, "resource_id", "project_id", "counter_name", "timestamp"),
		index("timestamp_idx", down, "timestamp"),
	}
	owners := []mongo.IndexModel{
		index("resource_user_project_timestamp", down, "user_id", "project_id", "last_sample_timestamp"),
		index("last_sample_timestamp_idx", down, "last_sample_timestamp"),
	}
	return c.server.Do("createIndexes", func(ctx context.Context) error {
		if _, err := c.meters.Indexes().CreateMany(ctx, meters); err != nil {
			return err
		}
		_, err := c.owners.Indexes().CreateMany(ctx, owners)
		return err
	})
}

func index(name string, direction int, fields ...string) mongo.IndexModel {
	var keys bson.D
	for _, f := range fields {
		keys = append(keys, bson.E{Key: f, Value: direction})
	}
	return mongo.IndexModel{Keys: keys, Options: options.Index().SetName(name)}
}

func (c *ceilometer) Append(i int, samples []dataset.Sample) error {
	if err := c.indexes(); err != nil {
		return err
	}
	return c.writers[i].record(samples)
}

// Settle waits for a checkpoint: there is nothing else to flush or compact.
func (c *ceilometer) Settle() error { return c.server.Flush() }

func (c *ceilometer) Unit() time.Duration { return time.Millisecond }

func (c *ceilometer) Version() (string, error) {
	return c.server.Version() + ", Ceilometer's layout", nil
}

func (c *ceilometer) Bytes() (int64, error) { return c.server.Bytes() }

func (c *ceilometer) Processes() []int { return c.server.Processes() }

func (c *ceilometer) Remove(o target.Options) error { return mongodb.Remove(layout, o) }

func (c *ceilometer) Close() error { return c.server.Close() }

func main() { target.Main("mongodb", &ceilometer{}) }
