package main

import (
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/ferret"
	"github.com/telemetrydb/tsdb/bench/target"
	"github.com/telemetrydb/tsdb/bench/target/targettest"
)

func TestMain(m *testing.M) { targettest.Main(m, main) }

// TestPhases has FerretDB keep the documents in an ordinary collection, which is all it has.
func TestPhases(t *testing.T) {
	a := targettest.New(t, "D1", 4, t.TempDir(), "-uri", ferret.Start(t), "-name", "phases")
	r := a.Compare("-batch", "70")
	if v := r.Texts["version"]; !strings.HasPrefix(v, "FerretDB ") {
		t.Errorf("version %q", v)
	}
	a.Run("remove")
}

func small(t *testing.T) *dataset.Set {
	t.Helper()
	data := t.TempDir()
	if err := dataset.Generate(data, "D1", 3); err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestServersWithoutTimeSeries(t *testing.T) {
	s := ferret.Script(t, ferret.Wire36, func(string, bson.M) bson.D {
		return bson.D{{Key: "version", Value: "4.4.29"}, {Key: "versionArray", Value: bson.A{4, 4, 29, 0}}}
	})
	err := (&timeSeries{}).Open(t.TempDir(), small(t), target.Options{URI: s.URI})
	if err == nil || !strings.Contains(err.Error(), "MongoDB 4.4.29 has no time-series collections") {
		t.Error(err)
	}
}

// TestWhatMongoDBIsSent looks at the commands that FerretDB does not know, in the form that MongoDB's manual gives them.
func TestWhatMongoDBIsSent(t *testing.T) {
	row := bson.D{{Key: "mean", Value: 1.25}}
	s := ferret.Script(t, ferret.Wire50, func(command string, asked bson.M) bson.D {
		switch command {
		case "buildInfo":
			return bson.D{{Key: "version", Value: "5.0.31"}, {Key: "versionArray", Value: bson.A{5, 0, 31, 0}}}
		case "create": // as if it had been made before
			return bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: 48}, {Key: "codeName", Value: "NamespaceExists"}, {Key: "errmsg", Value: "exists"}}
		case "insert":
			return bson.D{{Key: "n", Value: len(asked["documents"].(bson.A))}}
		case "aggregate":
			return bson.D{{Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: "a.b"}, {Key: "firstBatch", Value: bson.A{row}}}}}
		case "find":
			return bson.D{{Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: "a.b"}, {Key: "firstBatch", Value: bson.A{}}}}}
		}
		return bson.D{}
	})
	c, set := &timeSeries{}, small(t)
	if err := c.Open(t.TempDir(), set, target.Options{Writers: 1, URI: s.URI, Name: "r", Fsync: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Append(0, []dataset.Sample{{Series: 8, Millis: 300_000, Value: 1.5}}); err != nil {
		t.Fatal(err)
	}
	n, sum, err := c.Means(8, 300_000, 899_999, 5*time.Minute)
	if err != nil || n != 1 || sum != 1.25 {
		t.Errorf("%d buckets, sum %v, %v", n, sum, err)
	}
	if err := c.Newest(8, 9, func([]int64, []float64) {}); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Lookup("project", "p"); err != nil {
		t.Error(err)
	}
	if err := c.Settle(); err != nil {
		t.Error(err)
	}
	one := set.Series[8]
	ferret.Same(t, s.Asked("create")[0]["timeseries"], `{"timeField":"timestamp","metaField":"meta","granularity":"seconds"}`)
	insert := s.Asked("insert")[0]
	ferret.Same(t, insert["writeConcern"], `{"w":1,"j":true}`)
	if insert["ordered"] != false || insert["$db"] != "tsdb_bench_timeseries_r" {
		t.Errorf("%v", insert)
	}
	ferret.Same(t, s.Asked("aggregate")[0]["pipeline"], `[{"$match":{"meta.resource":"`+one.Resource+`","meta.meter":"`+one.Metric+`",`+
		`"timestamp":{"$gte":{"$date":{"$numberLong":"300000"}},"$lte":{"$date":{"$numberLong":"899999"}}}}},`+
		`{"$group":{"_id":{"$dateTrunc":{"date":"$timestamp","unit":"second","binSize":300}},"mean":{"$avg":"$value"}}},{"$sort":{"_id":1}}]`)
	ferret.Same(t, s.Asked("aggregate")[1]["pipeline"], `[{"$match":{"meta.project":"p"}},{"$group":{"_id":"$meta"}}]`)
	find := s.Asked("find")[0]
	ferret.Same(t, find["projection"], `{"_id":0,"timestamp":1,"value":1}`)
	ferret.Same(t, find["sort"], `{"timestamp":-1}`)
	ferret.Same(t, find["limit"], `9`)
	ferret.Same(t, s.Asked("fsync")[0]["fsync"], `1`)
}
