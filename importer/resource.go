package importer

import (
	"context"
	"errors"
	"io"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/samples"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// A document of the collection resource says who owned a resource last and which meters it has, in the order of their appearance:
//
//	_id                 string, the resource's id
//	user_id, project_id string or null
//	source              string
//	meter               array of documents: counter_name, counter_type, counter_unit strings
//
// Its metadata and times are those of samples, and are not read. Ceilometer expires it apart from samples, so either may be missing.

const (
	rejectNoID   = reject("resource without an id that is a text")
	rejectMeters = reject("a resource's meters are no array of documents")
)

// decodeResource makes a description of a document. Errors are rejects, or wrap errBSON.
func decodeResource(doc []byte) (d samples.Description, err error) {
	err = eachElement(doc, func(key string, v bsoncore.Value) (err error) {
		switch key {
		case "_id":
			d.ResourceID, err = textOf(v, rejectNoID)
		case "user_id":
			d.UserID, err = optionalText(v)
		case "project_id":
			d.ProjectID, err = optionalText(v)
		case "source":
			d.Source, err = textOf(v, rejectText)
		case "meter":
			d.Meters, err = decodeMeters(v)
		}
		return err
	})
	if err == nil && d.ResourceID == "" {
		err = rejectNoID
	}
	if d.Source == "" {
		d.Source = "openstack"
	}
	return d, err
}

func decodeMeters(v bsoncore.Value) (meters []engine.Meter, err error) {
	if v.Type != bson.TypeArray {
		return nil, rejectMeters
	}
	err = eachElement(v.Data, func(_ string, v bsoncore.Value) error {
		if v.Type != bson.TypeEmbeddedDocument {
			return rejectMeters
		}
		var m engine.Meter
		err := eachElement(v.Data, func(key string, v bsoncore.Value) (err error) {
			switch key {
			case "counter_name":
				m.Name, err = textOf(v, rejectMeters)
			case "counter_type":
				m.Type, err = textOf(v, rejectMeters)
			case "counter_unit":
				m.Unit, err = textOf(v, rejectMeters)
			}
			return err
		})
		meters = append(meters, m)
		return err
	})
	return meters, err
}

// batchResources is how many resources are described at once.
const batchResources = 200

// resources gives resources the owners that their documents say.
func (r *run) resources(ctx context.Context) (err error) {
	c, err := r.src.Open(ctx, resourceCollection, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	var batch []samples.Description
	for {
		doc, err := c.Next(ctx)
		ended := errors.Is(err, io.EOF) || r.tolerated(err)
		if err != nil && !ended {
			return err
		}
		if !ended {
			d, err := decodeResource(doc)
			if reason, ok := rejectOf(err); ok {
				r.Rejected[string(reason)]++
			} else if err != nil {
				return err
			} else {
				batch = append(batch, d)
			}
		}
		if len(batch) >= batchResources || ended && len(batch) > 0 {
			if _, err := r.store.Describe(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
			read, total := c.Progress()
			r.o.Progress("resources", read, total)
		}
		if ended {
			break
		}
	}
	r.Described = r.Samples
	text, err := r.mark()
	if err != nil {
		return err
	}
	return r.db.Update(ctx, func(tx *engine.Tx) error { return tx.SetMark(r.name, text) })
}
