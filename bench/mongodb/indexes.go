package mongodb

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// Index is one of a collection.
type Index struct {
	Name      string
	Direction int // 1 or -1, of all fields
	Fields    []string
}

// MakeIndexes makes those that the collection hasn't.
func (s *Server) MakeIndexes(c *mongo.Collection, indexes ...Index) error {
	return s.Do("createIndexes", func(ctx context.Context) error {
		there, err := c.Indexes().ListSpecifications(ctx)
		if err != nil {
			return err
		}
		var missing []mongo.IndexModel
		for _, i := range indexes {
			if slices.ContainsFunc(there, func(x *mongo.IndexSpecification) bool { return x.Name == i.Name }) {
				continue
			}
			var keys bson.D
			for _, f := range i.Fields {
				keys = append(keys, bson.E{Key: f, Value: i.Direction})
			}
			missing = append(missing, mongo.IndexModel{Keys: keys, Options: options.Index().SetName(i.Name)})
		}
		if len(missing) == 0 {
			return nil
		}
		_, err = c.Indexes().CreateMany(ctx, missing)
		return err
	})
}
