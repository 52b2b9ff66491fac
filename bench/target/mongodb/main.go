// Command mongodb measures MongoDB as Ceilometer used it: collections meter and resource, its documents with a Nova instance's metadata, its
// indexes, its updates and its queries. The server is the one at the URI, of version 3.6 or newer, or a mongod that the command starts.
package main

import (
	"cmp"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/mongo"

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
	if err := c.makeIndexes(); err != nil {
		return errors.Join(err, c.server.Close())
	}
	return nil
}

// makeIndexes makes those that Ceilometer makes when it starts, less the one that lets samples expire.
func (c *ceilometer) makeIndexes() error {
	const up, down = 1, -1
	return errors.Join(
		c.server.MakeIndexes(c.meters,
			mongodb.Index{Name: "meter_idx", Direction: up, Fields: []string{"resource_id", "user_id", "counter_name", "timestamp"}},
			mongodb.Index{Name: "meter_project_idx", Direction: up, Fields: []string{"resource_id", "project_id", "counter_name", "timestamp"}},
			mongodb.Index{Name: "timestamp_idx", Direction: down, Fields: []string{"timestamp"}}),
		c.server.MakeIndexes(c.owners,
			mongodb.Index{Name: "resource_user_project_timestamp", Direction: down, Fields: []string{"user_id", "project_id", "last_sample_timestamp"}},
			mongodb.Index{Name: "last_sample_timestamp_idx", Direction: down, Fields: []string{"last_sample_timestamp"}}))
}

func (c *ceilometer) Append(i int, samples []dataset.Sample) error {
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
