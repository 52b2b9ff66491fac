package importer

import (
	"errors"
	"io"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// An archive of mongodump is a magic number, documents about the dump and its collections up to an end mark, then blocks: a header
// document that names database and collection, documents up to an end mark. Blocks of different collections alternate; one whose
// header says EOF has no documents.

// skipHeaders reads up to the first block.
func (c *dumpCursor) skipHeaders() error {
	if _, err := io.CopyN(io.Discard, c.r, 4); err != nil { // the magic number, looked at before
		return c.damage(err)
	}
	c.offset = 4
	for {
		_, end, err := c.document()
		if errors.Is(err, io.EOF) {
			return c.damage(err)
		}
		if err != nil {
			return err
		}
		if end {
			return c.block()
		}
	}
}

// block reads the header of the next block, if there is one.
func (c *dumpCursor) block() error {
	doc, end, err := c.document()
	if errors.Is(err, io.EOF) {
		c.done = true
		return nil
	}
	if err != nil {
		return err
	}
	if end {
		return c.damage(errors.New("an end mark where the header of a block should be"))
	}
	collection := ""
	err = eachElement(doc, func(key string, v bsoncore.Value) error {
		if key == "collection" && v.Type == bson.TypeString {
			collection = v.StringValue()
		}
		return nil
	})
	if err != nil {
		return c.damage(err)
	}
	c.inside = collection == c.collection
	return nil
}
