package main

import (
	"context"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/ferret"
	"github.com/telemetrydb/tsdb/bench/target"
	"github.com/telemetrydb/tsdb/bench/target/targettest"
)

func TestMain(m *testing.M) { targettest.Main(m, main) }

// TestPhases has FerretDB serve what a MongoDB would: what is stored and the answers are right, whatever they cost.
func TestPhases(t *testing.T) {
	uri := ferret.Start(t)
	a := targettest.New(t, "D1", 2, t.TempDir(), "-uri", uri, "-name", "phases")
	r := a.Compare("-batch", "70")
	if v := r.Texts["version"]; !strings.HasPrefix(v, "FerretDB ") {
		t.Errorf("version %q", v)
	}
	if r.Numbers["at_rest_bytes_per_sample"] <= 0 {
		t.Errorf("%v", r.Numbers)
	}
	lookAtDocuments(t, a.Data, uri)
	a.Run("remove")
	c := opened(t, a.Data, uri)
	if n, err := c.meters.CountDocuments(context.Background(), bson.D{}); err != nil || n != 0 {
		t.Errorf("%d samples left behind, %v", n, err)
	}
}

func opened(t *testing.T, data, uri string) *ceilometer {
	t.Helper()
	set, err := dataset.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	c := &ceilometer{}
	if err := c.Open(t.TempDir(), set, target.Options{Writers: 1, URI: uri, Name: "phases"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// lookAtDocuments compares a sample's and a resource's document with Ceilometer's.
func lookAtDocuments(t *testing.T, data, uri string) {
	t.Helper()
	c, ctx := opened(t, data, uri), context.Background()
	raw, err := c.meters.FindOne(ctx, bson.D{}).Raw()
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"counter_name", "counter_type", "counter_unit", "counter_volume", "user_id", "project_id", "resource_id", "source",
		"timestamp", "resource_metadata", "message_id", "message_signature", "recorded_at"} {
		if raw.Lookup(field).Type == 0 {
			t.Errorf("a sample has no %s", field)
		}
	}
	if n := len(raw); n < 1150 || n > 1500 {
		t.Errorf("a sample is %d bytes; Ceilometer's of an instance are 1,281 on average", n)
	}
	var one owner
	if err := c.owners.FindOne(ctx, bson.D{{Key: "_id", Value: c.set.Series[0].Resource}}).Decode(&one); err != nil {
		t.Fatal(err)
	}
	if len(one.Meters) != 7 || one.Metadata.Host != c.set.Series[0].Host || one.Project != c.set.Series[0].Project {
		t.Errorf("resource %+v", one)
	}
	names, err := c.meters.Indexes().ListSpecifications(ctx)
	if err != nil || len(names) != 4 {
		t.Errorf("%d indexes of meter, %v", len(names), err)
	}
	n := 0
	if err := c.Newest(3, 2, func(times []int64, _ []float64) {
		n += len(times)
		if times[0] != c.set.MaxMillis {
			t.Errorf("newest is at %d, want %d", times[0], c.set.MaxMillis)
		}
	}); err != nil || n != 2 {
		t.Errorf("%d newest samples, %v", n, err)
	}
}

// TestWhatMongoDBIsSent looks at the commands that FerretDB does not know, in the form that MongoDB's manual gives them.
func TestWhatMongoDBIsSent(t *testing.T) {
	row := func(avg float64) bson.D { return bson.D{{Key: "avg", Value: avg}} }
	s := ferret.Script(t, ferret.Wire36, func(command string, asked bson.M) bson.D {
		switch command {
		case "buildInfo":
			return bson.D{{Key: "version", Value: "3.6.23"}}
		case "findAndModify":
			return bson.D{{Key: "value", Value: bson.D{{Key: "_id", Value: "r"}}}}
		case "insert":
			return bson.D{{Key: "n", Value: len(asked["documents"].(bson.A))}}
		case "update":
			return bson.D{{Key: "n", Value: 1}, {Key: "nModified", Value: 1}}
		case "aggregate":
			return bson.D{{Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: "a.b"}, {Key: "firstBatch", Value: bson.A{row(1.5), row(2)}}}}}
		}
		return bson.D{}
	})
	data := t.TempDir()
	if err := dataset.Generate(data, "D1", 3); err != nil {
		t.Fatal(err)
	}
	c := opened(t, data, s.URI)
	series := c.set.Series[8]
	if err := c.Append(0, []dataset.Sample{{Series: 8, Millis: 300_000, Value: 1}, {Series: 9, Millis: 300_000, Value: 2}, {Series: 8, Millis: 301_000, Value: 3}}); err != nil {
		t.Fatal(err)
	}
	n, sum, err := c.Means(8, 300_000, 899_999, target5min)
	if err != nil || n != 2 || sum != 3.5 {
		t.Errorf("%d buckets, sum %v, %v", n, sum, err)
	}
	if _, _, err := c.GroupMeans("group", "a", 300_000, 899_999, target5min); err != nil {
		t.Error(err)
	}
	asked := s.Asked("aggregate")
	ferret.Same(t, asked[0]["pipeline"], `[{"$match":{"counter_name":"`+series.Metric+`","resource_id":"`+series.Resource+`",`+within5+`}},`+grouped)
	ferret.Same(t, asked[1]["pipeline"], `[{"$match":{"counter_unit":"a",`+within5+`}},`+grouped)
	upsert := s.Asked("findAndModify")[0]
	ferret.Same(t, upsert["update"].(bson.M)["$addToSet"], `{"meter":{"$each":[`+
		`{"counter_name":"`+series.Metric+`","counter_type":"`+kind(series)+`","counter_unit":"a"},`+
		`{"counter_name":"`+c.set.Series[9].Metric+`","counter_type":"`+kind(c.set.Series[9])+`","counter_unit":"a"}]}}`)
	if upsert["upsert"] != true || upsert["new"] != true {
		t.Errorf("%v", upsert)
	}
	insert := s.Asked("insert")[0]
	ferret.Same(t, insert["writeConcern"], `{"w":1,"j":false}`)
	if insert["insert"] != "meter" || insert["$db"] != "tsdb_bench_ceilometer_phases" || insert["ordered"] != true {
		t.Errorf("%v", insert)
	}
	if err := c.Append(0, nil); err == nil {
		t.Error("an empty batch is no batch")
	}
}

func TestWrongAnswers(t *testing.T) {
	data := t.TempDir()
	if err := dataset.Generate(data, "D1", 3); err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	refused := bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: 14031}, {Key: "codeName", Value: "OutOfDiskSpace"}, {Key: "errmsg", Value: "disk full"}}
	batch := func(doc bson.D) bson.D {
		return bson.D{{Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: "a.b"}, {Key: "firstBatch", Value: bson.A{doc}}}}}
	}
	stranger := bson.D{{Key: "resource_id", Value: "x"}, {Key: "counter_name", Value: "y"}, {Key: "timestamp", Value: bsonTime}, {Key: "counter_volume", Value: 1.0}}
	write := func(c *ceilometer) error {
		return c.Append(0, []dataset.Sample{{Series: 0, Millis: 1}, {Series: 1, Millis: 1}})
	}
	scan := func(c *ceilometer) error { return c.Scan(target.Selection{}, 0, 9, func([]int64, []float64) {}) }
	means := func(c *ceilometer) error { _, _, err := c.Means(0, 0, 9, target5min); return err }
	for _, tc := range []struct {
		command string
		answer  bson.D
		do      func(*ceilometer) error
		want    string
	}{
		{"insert", bson.D{{Key: "n", Value: 1}}, write, "stored 1 of 2"},
		{"insert", refused, write, "disk full"},
		{"createIndexes", refused, write, "disk full"},
		{"find", batch(bson.D{{Key: "counter_volume", Value: "none"}}), scan, "without the fields"},
		{"find", batch(stranger), scan, "no series of this set"},
		{"find", refused, scan, "OutOfDiskSpace"},
		{"aggregate", batch(bson.D{{Key: "avg", Value: nil}}), means, "no number avg"},
	} {
		c := &ceilometer{}
		err := c.Open(t.TempDir(), set, target.Options{Writers: 1, URI: ferret.Script(t, ferret.Wire36, func(command string, _ bson.M) bson.D {
			if command == tc.command {
				return tc.answer
			}
			return bson.D{{Key: "version", Value: "4.4.0"}, {Key: "value", Value: bson.D{}}, {Key: "n", Value: 1}}
		}).URI})
		if err == nil {
			err = tc.do(c)
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "MongoDB at 127.0.0.1:") {
			t.Errorf("%s: %v, want %s", tc.command, err, tc.want)
		}
	}
}
