package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

// Each calls take with every document of the cursor that open gives, until it returns an error. A document is only valid during its call.
func (s *Server) Each(what string, open func(ctx context.Context) (*mongo.Cursor, error), take func(bson.Raw) error) error {
	return s.Do(what, func(ctx context.Context) error {
		cursor, err := open(ctx)
		if err != nil {
			return err
		}
		defer cursor.Close(ctx)
		for cursor.Next(ctx) {
			if err := take(cursor.Current); err != nil {
				return err
			}
		}
		return cursor.Err()
	})
}

// Columns are the samples of one series, times in milliseconds.
type Columns struct {
	Times  []int64
	Values []float64
}

// Add appends a sample.
func (c *Columns) Add(millis int64, value float64) {
	c.Times, c.Values = append(c.Times, millis), append(c.Values, value)
}
