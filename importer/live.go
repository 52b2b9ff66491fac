package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/x/mongo/driver/connstring"
)

// live is a running server, of version 3.6 or newer.
type live struct {
	client   *mongo.Client
	db       *mongo.Database
	identity string
	before   primitive.ObjectID // documents whose _id was given later are left for another import
}

// settle is how old a document has to be. Collectors give _ids by their own clocks, and one may write what another is already behind: what
// is read by ascending _id would miss it.
const settle = 2 * time.Minute

// defaultDatabase is where Ceilometer keeps its collections unless its URL says otherwise.
const defaultDatabase = "ceilometer"

// OpenServer connects to the MongoDB that the URI names, as in Ceilometer's option [database] connection; without a database in it,
// that is ceilometer. What was written in the last two minutes is left for another import. Servers older than 3.6 do not speak to this
// client: import a dump of theirs.
func OpenServer(ctx context.Context, uri string) (Source, error) {
	cs, err := connstring.ParseAndValidate(uri)
	if err != nil {
		return nil, fmt.Errorf("the URI of MongoDB: %w", err)
	}
	client, err := mongo.Connect(ctx, options.Client().SetAppName("tsdb").SetServerSelectionTimeout(20*time.Second).ApplyURI(uri))
	if err != nil {
		return nil, err
	}
	if err := client.Ping(ctx, nil); err != nil {
		return nil, errors.Join(fmt.Errorf("MongoDB does not answer (servers older than 3.6 have to be imported from a dump): %w", err),
			client.Disconnect(ctx))
	}
	name := cs.Database
	if name == "" {
		name = defaultDatabase
	}
	hosts := slices.Clone(cs.Hosts)
	slices.Sort(hosts)
	return &live{client, client.Database(name), "server:" + strings.Join(hosts, ",") + "/" + name,
		primitive.NewObjectIDFromTimestamp(time.Now().Add(-settle))}, nil
}

// Identity is hosts and database.
func (l *live) Identity(context.Context) (string, error) { return l.identity, nil }

// Check does nothing: a server looks after its data itself.
func (l *live) Check(context.Context, func(read, total int64)) error { return nil }

func (l *live) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return l.client.Disconnect(ctx)
}

// liveCursor goes through a collection by _id, which for samples is the order they were written in.
type liveCursor struct {
	c           *mongo.Cursor
	last        bson.RawValue
	after       string
	read, total int64
}

// Open begins behind a place, the _id of a document as extended JSON.
func (l *live) Open(ctx context.Context, collection, after string) (Cursor, error) {
	c := &liveCursor{after: after}
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$gte", Value: l.before}}}}}}
	if after != "" {
		var id struct {
			ID any `bson:"_id"`
		}
		if err := bson.UnmarshalExtJSON([]byte(after), true, &id); err != nil {
			return nil, fmt.Errorf("place %q: %w", after, err)
		}
		filter = append(filter, bson.E{Key: "$and", Value: bson.A{bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: id.ID}}}}}})
	}
	coll := l.db.Collection(collection)
	total, err := coll.EstimatedDocumentCount(ctx)
	if err != nil {
		return nil, fmt.Errorf("counting %s.%s: %w", l.db.Name(), collection, err)
	}
	c.total = total
	c.c, err = coll.Find(ctx, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetBatchSize(2000))
	if err != nil {
		return nil, fmt.Errorf("reading %s.%s: %w", l.db.Name(), collection, err)
	}
	return c, nil
}

func (c *liveCursor) Next(ctx context.Context) ([]byte, error) {
	if !c.c.Next(ctx) {
		if err := c.c.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	c.last = c.c.Current.Lookup("_id")
	c.read++
	return c.c.Current, nil
}

func (c *liveCursor) Place() string {
	if c.last.Type == 0 {
		return c.after
	}
	text, err := bson.MarshalExtJSON(bson.D{{Key: "_id", Value: c.last}}, true, false)
	if err != nil { // no _id that was read cannot be written
		return c.after
	}
	return string(text)
}

func (c *liveCursor) Progress() (read, total int64) { return c.read, c.total }

func (c *liveCursor) Close() error { return c.c.Close(context.Background()) }
