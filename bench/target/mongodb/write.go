package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	nova "github.com/telemetrydb/tsdb/bench/ceilometer"
	"github.com/telemetrydb/tsdb/bench/dataset"
)

const (
	user = "5a3f1c2e9b7d4e60a1c8f2d3b4e5f607"
	// stateMillis is how long the metadata of a resource stay as they are.
	stateMillis = 600_000
	// signature is of a sample's fields; the length is what matters here.
	signature = "2f9c1f0a6cf2d1c3b1f0e7b65ad2c8f3e94a17b05d6c3e8f29b04a7c1d5e6f80"
)

// metadata is a resource's, as a document, for the state it is in.
type metadata struct {
	state int64
	doc   bson.Raw
}

// writer records what one goroutine appends.
type writer struct {
	c         *ceilometer
	resources map[string]int // read only, shared
	metadata  map[string]*metadata
	models    []mongo.WriteModel
}

// record stores a batch as Ceilometer's collector did: for each resource in it the document about the resource, then all samples at once.
func (w *writer) record(samples []dataset.Sample) error {
	for _, of := range w.byResource(samples) {
		if err := w.recordResource(of); err != nil {
			return err
		}
	}
	w.models = w.models[:0]
	for _, s := range samples {
		doc, err := w.document(s)
		if err != nil {
			return err
		}
		w.models = append(w.models, mongo.NewInsertOneModel().SetDocument(doc))
	}
	return w.c.server.Do("insert into meter", func(ctx context.Context) error {
		r, err := w.c.meters.BulkWrite(ctx, w.models)
		if err == nil && r.InsertedCount != int64(len(samples)) {
			err = fmt.Errorf("the server says it stored %d of %d samples", r.InsertedCount, len(samples))
		}
		return err
	})
}

// byResource gives the samples of each resource together, in time order.
func (w *writer) byResource(samples []dataset.Sample) [][]dataset.Sample {
	series := w.c.set.Series
	sorted := slices.Clone(samples)
	slices.SortStableFunc(sorted, func(a, b dataset.Sample) int {
		return cmp.Or(cmp.Compare(series[a.Series].Resource, series[b.Series].Resource), cmp.Compare(a.Millis, b.Millis))
	})
	var out [][]dataset.Sample
	for from, i := 0, 1; i <= len(sorted); i++ {
		if i == len(sorted) || series[sorted[i].Series].Resource != series[sorted[from].Series].Resource {
			out, from = append(out, sorted[from:i]), i
		}
	}
	return out
}

// recordResource writes who owns the resource and which meters it has, then, unless a later sample was there before, its metadata.
func (w *writer) recordResource(samples []dataset.Sample) error {
	first, last := samples[0], samples[len(samples)-1]
	s := w.c.set.Series[last.Series]
	described, err := w.metadataAt(s, last.Millis)
	if err != nil {
		return err
	}
	owner := bson.D{{Key: "project_id", Value: s.Project}, {Key: "user_id", Value: user}, {Key: "source", Value: "openstack"}}
	fresh := bson.D{{Key: "metadata", Value: described}, {Key: "first_sample_timestamp", Value: primitive.DateTime(first.Millis)},
		{Key: "last_sample_timestamp", Value: primitive.DateTime(last.Millis)}}
	var before struct {
		First primitive.DateTime `bson:"first_sample_timestamp"`
		Last  primitive.DateTime `bson:"last_sample_timestamp"`
	}
	is := bson.D{{Key: "_id", Value: s.Resource}}
	return w.c.server.Do("update of resource", func(ctx context.Context) error {
		for _, added := range w.additions(samples) {
			update := bson.D{{Key: "$set", Value: owner}, {Key: "$setOnInsert", Value: fresh}, {Key: "$addToSet", Value: added}}
			upsert := func() error {
				return w.c.owners.FindOneAndUpdate(ctx, is, update,
					options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)).Decode(&before)
			}
			err := upsert()
			if mongo.IsDuplicateKeyError(err) { // another writer made it meanwhile
				err = upsert()
			}
			if err != nil {
				return err
			}
		}
		change := bson.D{}
		if before.Last <= primitive.DateTime(last.Millis) {
			change = append(change, fresh[0], fresh[2])
		}
		if before.First > primitive.DateTime(first.Millis) {
			change = append(change, fresh[1])
		}
		if len(change) == 0 {
			return nil
		}
		_, err := w.c.owners.UpdateOne(ctx, is, bson.D{{Key: "$set", Value: change}})
		return err
	})
}

// additions gives what goes into the array of a resource's meters: all at once, but for FerretDB, which takes them one by one.
func (w *writer) additions(samples []dataset.Sample) (out []bson.D) {
	var meters bson.A
	seen := map[uint32]bool{}
	for _, s := range samples {
		if !seen[s.Series] {
			seen[s.Series] = true
			one := w.c.set.Series[s.Series]
			meters = append(meters, bson.D{{Key: "counter_name", Value: one.Metric}, {Key: "counter_type", Value: kind(one)},
				{Key: "counter_unit", Value: one.Group}})
		}
	}
	if !w.c.server.Ferret() {
		return []bson.D{{{Key: "meter", Value: bson.D{{Key: "$each", Value: meters}}}}}
	}
	for _, m := range meters {
		out = append(out, bson.D{{Key: "meter", Value: m}})
	}
	return out
}

func kind(s dataset.Series) string {
	if s.Class == "counter" {
		return "cumulative"
	}
	return "gauge"
}

// document is a sample. A meter has no label but its fields; the series' group takes the place of the unit, which a query can name too.
func (w *writer) document(s dataset.Sample) (bson.Raw, error) {
	one := w.c.set.Series[s.Series]
	described, err := w.metadataAt(one, s.Millis)
	if err != nil {
		return nil, err
	}
	return bson.Marshal(bson.D{
		{Key: "_id", Value: primitive.NewObjectID()}, {Key: "counter_name", Value: one.Metric}, {Key: "counter_type", Value: kind(one)},
		{Key: "counter_unit", Value: one.Group}, {Key: "counter_volume", Value: s.Value}, {Key: "user_id", Value: user},
		{Key: "project_id", Value: one.Project}, {Key: "resource_id", Value: one.Resource}, {Key: "source", Value: "openstack"},
		{Key: "timestamp", Value: primitive.DateTime(s.Millis)}, {Key: "resource_metadata", Value: described},
		{Key: "message_id", Value: messageID()}, {Key: "message_signature", Value: signature},
		{Key: "recorded_at", Value: primitive.NewDateTimeFromTime(time.Now())},
	})
}

// messageID is a UUID. Ceilometer's are not random, but as long.
func messageID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	x := hex.EncodeToString(b[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// metadataAt is what Nova says of the series' resource at a time: many fields, of which one changes now and then.
func (w *writer) metadataAt(s dataset.Series, millis int64) (bson.Raw, error) {
	number := w.resources[s.Resource]
	state := millis/stateMillis + int64(number)
	kept := w.metadata[s.Resource]
	if kept != nil && kept.state == state {
		return kept.doc, nil
	}
	var doc bson.D
	if err := bson.UnmarshalExtJSON(nova.Metadata(number, int(state)), false, &doc); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	for i := range doc {
		if doc[i].Key == "host" {
			doc[i].Value = s.Host
		}
	}
	raw, err := bson.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	w.metadata[s.Resource] = &metadata{state, raw}
	return raw, nil
}
