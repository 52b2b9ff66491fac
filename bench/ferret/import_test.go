package ferret

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/importer"
	"github.com/telemetrydb/tsdb/server/samples"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

var begin = time.Date(2016, 5, 1, 0, 0, 0, 0, time.UTC)

// sample is a document of Ceilometer's collection meter.
func sample(n int) bson.D {
	id := primitive.NewObjectIDFromTimestamp(begin)
	id[10], id[11] = byte(n>>8), byte(n)
	var volume any = float64(n) / 8
	if n%100 == 99 {
		volume = "none"
	}
	return bson.D{{Key: "_id", Value: id}, {Key: "counter_name", Value: fmt.Sprint("meter.", n%3)}, {Key: "counter_type", Value: "gauge"},
		{Key: "counter_unit", Value: "%"}, {Key: "counter_volume", Value: volume}, {Key: "user_id", Value: "u"}, {Key: "project_id", Value: "p"},
		{Key: "resource_id", Value: fmt.Sprint("vm-", n%4)}, {Key: "source", Value: "openstack"},
		{Key: "timestamp", Value: primitive.NewDateTimeFromTime(begin.Add(time.Duration(n) * time.Second))},
		{Key: "resource_metadata", Value: bson.D{{Key: "host", Value: "h"}, {Key: "vcpus", Value: int32(n / 500)}}},
		{Key: "message_id", Value: fmt.Sprint("m-", n)}, {Key: "recorded_at", Value: primitive.NewDateTimeFromTime(begin)}}
}

// TestImportFromServer imports what is there, then what came since, over MongoDB's protocol.
func TestImportFromServer(t *testing.T) {
	ctx := context.Background()
	uri := Start(t) + "telemetry"
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Disconnect(ctx)
	meters, events := client.Database("telemetry").Collection("meter"), client.Database("telemetry").Collection("event")
	insert := func(from, to int) {
		var docs []any
		for n := from; n < to; n++ {
			docs = append(docs, sample(n))
		}
		if _, err := meters.InsertMany(ctx, docs); err != nil {
			t.Fatal(err)
		}
	}
	insert(0, 1500)
	young := append(bson.D{{Key: "_id", Value: primitive.NewObjectID()}}, sample(2500)[1:]...) // another collector may still write before it
	if _, err := meters.InsertOne(ctx, young); err != nil {
		t.Fatal(err)
	}
	_, err = events.InsertOne(ctx, bson.D{{Key: "_id", Value: "e-1"}, {Key: "event_type", Value: "image.delete"},
		{Key: "timestamp", Value: primitive.NewDateTimeFromTime(begin)}, {Key: "traits", Value: bson.A{}}})
	if err != nil {
		t.Fatal(err)
	}
	db, err := engine.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store := samples.New(db, nil)
	run := func(want int64) {
		t.Helper()
		src, err := importer.OpenServer(ctx, uri)
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		report, err := importer.Run(ctx, src, db, store, importer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := importer.Verify(ctx, src, db, store, importer.Options{})
		if err != nil || len(v.Differences) > 0 || report.Samples != want || v.Samples != want {
			t.Errorf("%d samples, %d in the source, want %d; differences %v, %v", report.Samples, v.Samples, want, v.Differences, err)
		}
	}
	run(1485)
	run(1485)
	insert(1500, 2000)
	run(1980)
	if _, err := db.Event("e-1"); err != nil {
		t.Error(err)
	}
}

func TestNoServer(t *testing.T) {
	for uri, want := range map[string]string{
		"mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100": "3.6",
		"http://127.0.0.1/": "URI",
	} {
		_, err := importer.OpenServer(context.Background(), uri)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
