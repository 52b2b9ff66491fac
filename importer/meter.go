package importer

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/telemetrydb/tsdb/server/samples"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// A document of the collection meter is a sample:
//
//	_id                 ObjectId
//	counter_name        string
//	counter_type        string: gauge, delta or cumulative
//	counter_unit        string; missing in the oldest
//	counter_volume      double, int32, int64, or a string with a number
//	user_id, project_id string or null
//	resource_id         string
//	source              string; missing in the oldest
//	timestamp           date
//	resource_metadata   document; keys that began with $ begin with %24
//	message_id          string
//	recorded_at         date; since 2014
//
// and message_signature, which is dropped, as is what else there may be.

// reject is why a document cannot be taken. Its text is one of few, for counting.
type reject string

func (r reject) Error() string { return string(r) }

const (
	rejectNoMeter    = reject("no counter_name")
	rejectNoTime     = reject("no timestamp, or none that is a date")
	rejectTime       = reject("timestamp before 1970 or after 2261")
	rejectVolume     = reject("counter_volume is no number")
	rejectInfinite   = reject("counter_volume is infinite or not a number")
	rejectNoResource = reject("resource_id is no text")
	rejectText       = reject("a member is no text")
	rejectMetadata   = reject("resource_metadata is no document")
	rejectRefused    = reject("refused by the database")
)

// decodeMeter makes a sample of a document of the collection meter, into s. Errors are rejects, or wrap errBSON.
func decodeMeter(doc []byte, s *samples.Sample) error {
	*s = samples.Sample{}
	timed, measured, named := false, false, false
	err := eachElement(doc, func(key string, v bsoncore.Value) (err error) {
		switch key {
		case "counter_name":
			s.Meter, err = textOf(v, rejectNoMeter)
		case "counter_type":
			s.Type, err = textOf(v, rejectText)
		case "counter_unit":
			s.Unit, err = textOf(v, rejectText)
		case "source":
			s.Source, err = textOf(v, rejectText)
		case "resource_id":
			named = true
			s.ResourceID, err = textOf(v, rejectNoResource)
		case "message_id":
			s.MessageID, err = textOf(v, rejectText)
		case "user_id":
			s.UserID, err = optionalText(v)
		case "project_id":
			s.ProjectID, err = optionalText(v)
		case "counter_volume":
			measured = true
			s.Volume, err = volumeOf(v)
		case "timestamp":
			timed = true
			s.Time, err = nanosOf(v)
		case "recorded_at":
			if v.Type == bson.TypeDateTime {
				s.Arrival, err = nanosOf(v)
			}
		case "resource_metadata":
			s.Metadata, err = metadataOf(v)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case s.Meter == "":
		return rejectNoMeter
	case !timed:
		return rejectNoTime
	case !measured:
		return rejectVolume
	case !named:
		return rejectNoResource
	}
	if s.Type == "" {
		s.Type = "gauge"
	}
	if s.Source == "" {
		s.Source = "openstack"
	}
	if s.Arrival == 0 {
		s.Arrival = s.Time
	}
	return nil
}

// textOf reads a text; null is an empty one.
func textOf(v bsoncore.Value, otherwise reject) (string, error) {
	switch v.Type {
	case bson.TypeString:
		return strings.ToValidUTF8(v.StringValue(), "\uFFFD"), nil
	case bson.TypeSymbol:
		return v.Symbol(), nil
	case bson.TypeNull, bson.TypeUndefined:
		return "", nil
	}
	return "", otherwise
}

func optionalText(v bsoncore.Value) (*string, error) {
	if v.Type == bson.TypeNull || v.Type == bson.TypeUndefined {
		return nil, nil
	}
	s, err := textOf(v, rejectText)
	return &s, err
}

func volumeOf(v bsoncore.Value) (f float64, err error) {
	switch v.Type {
	case bson.TypeDouble:
		f = v.Double()
	case bson.TypeInt32:
		f = float64(v.Int32())
	case bson.TypeInt64:
		f = float64(v.Int64())
	case bson.TypeString:
		if f, err = strconv.ParseFloat(strings.TrimSpace(v.StringValue()), 64); errors.Is(err, strconv.ErrSyntax) {
			return 0, rejectVolume
		}
	default:
		return 0, rejectVolume
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, rejectInfinite
	}
	return f, nil
}

// nanosOf reads a date in nanoseconds since the Unix epoch.
func nanosOf(v bsoncore.Value) (int64, error) {
	const end = 9_214_646_400_000 // 2262, in milliseconds
	if v.Type != bson.TypeDateTime {
		return 0, rejectNoTime
	}
	millis := v.DateTime()
	if millis < 0 || millis >= end {
		return 0, rejectTime
	}
	return millis * 1e6, nil
}

// metadataOf turns metadata into JSON, as they were before they were stored.
func metadataOf(v bsoncore.Value) ([]byte, error) {
	switch v.Type {
	case bson.TypeNull, bson.TypeUndefined:
		return nil, nil
	case bson.TypeEmbeddedDocument:
		return appendDocument(nil, v.Data, unquoteKey, 1)
	}
	return nil, rejectMetadata
}

// unquoteKey gives a key of metadata its leading dollar back, which MongoDB does not allow.
func unquoteKey(key string) string {
	if rest, ok := strings.CutPrefix(key, "%24"); ok {
		return "$" + rest
	}
	return key
}

// rejectOf tells whether an error concerns one document, whose reason it is.
func rejectOf(err error) (reject, bool) {
	var r reject
	if errors.As(err, &r) {
		return r, true
	}
	if errors.Is(err, errBSON) {
		return reject(fmt.Sprint(errBSON)), true
	}
	return "", false
}
