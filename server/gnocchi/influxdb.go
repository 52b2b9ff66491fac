package gnocchi

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/influx"
	"github.com/telemetrydb/tsdb/server/ingest"
)

const (
	influxProtocol = "influxdb"
	influxDatabase = "influxdb" // of those who name none
	maxForm        = 64 << 10   // bytes of a query
	influxTag      = "host"     // whose value is the resource, unless a header names another
	done           = "implemented"
	influxHeader   = "X-Gnocchi-InfluxDB-Tag-Resource-ID"
)

func (c *call) getInfluxPing() error {
	c.w.Header().Set("X-Influxdb-Version", "Gnocchi "+Build)
	return c.empty(http.StatusNoContent)
}

// postInfluxQuery creates a database, that is, a resource type without attributes. Nothing else can be asked.
func (c *call) postInfluxQuery() error {
	q, err := c.influxQuery()
	if err != nil {
		return err
	}
	if q == "" {
		return c.empty(http.StatusNoContent)
	}
	name, ok := influx.Database(q)
	if !ok {
		return fail(http.StatusNotImplemented, object{{"cause", "Not " + done + " error"}, {"detail", "q"},
			{"reason", "Query not " + done}})
	}
	if err := c.may(auth.CreateResourceType, auth.Fields{"name": name}); err != nil {
		return err
	}
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error { return c.needType(tx, engine.ResourceType{Name: name}) })
	if err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

// influxQuery is the parameter q, which clients send in the URL or as a form.
func (c *call) influxQuery() (string, error) {
	if args := c.args(); args.Has("q") {
		return args.Get("q"), nil
	}
	media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return "", nil
	}
	raw, err := c.rawBody(maxForm)
	if err != nil {
		return "", err
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return "", badRequest("The form cannot be read")
	}
	return form.Get("q"), nil
}

// postInfluxWrite stores lines of the line protocol.
func (c *call) postInfluxWrite() error {
	args := c.args()
	unit, ok := influx.Unit(args.Get("precision"))
	if !ok {
		return argumentError("precision", "Unknown precision")
	}
	db := influxDatabase
	if args.Has("db") {
		db = args.Get("db")
	}
	tag := influxTag
	if v := c.r.Header.Get(influxHeader); v != "" {
		tag = v
	}
	raw, err := c.rawBody(c.o.MaxBodyBytes/foreignShare, "gzip")
	if err != nil {
		return err
	}
	memory, err := c.reserve(int64(len(raw)))
	if err != nil {
		return err
	}
	defer memory.Release()
	var b influx.Batch
	if err := b.Read(raw, influx.Options{Tag: tag, Unit: unit, Now: c.o.Now().UnixNano()}); err != nil {
		c.o.Refused.Add(influxProtocol, "line", countLines(raw))
		return lineError(err)
	}
	c.o.Refused.Add(influxProtocol, "text", b.Texts)
	w, err := c.influxWrite(db, b.Samples)
	if err != nil {
		c.o.Refused.Add(influxProtocol, "resource id", len(b.Samples))
		return err
	}
	if err := c.store(influxProtocol, w); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

// lineError says which line is wrong, in the words of the API.
func lineError(err error) error {
	valueError := func(detail, reason string) error {
		return badRequest(object{{"cause", "Value error"}, {"detail", detail}, {"reason", reason}})
	}
	var line *influx.LineError
	var tag *influx.TagError
	switch {
	case errors.As(err, &line):
		return valueError("line", fmt.Sprintf("Unable to parse line %d", line.Line))
	case errors.As(err, &tag):
		return valueError("key", fmt.Sprintf("Unable to find key `%s' in tags", tag.Tag))
	}
	return err
}

// influxWrite maps samples to resources of the type that is the database.
func (c *call) influxWrite(db string, samples []influx.Sample) (*ingest.Write, error) {
	w := &ingest.Write{Type: db, Samples: make([]ingest.Sample, len(samples))}
	places := map[string]int{}
	for i, s := range samples {
		at, known := places[s.Resource]
		if !known {
			id, err := resourceID(s.Resource, c.user)
			if err != nil {
				return nil, badRequest(err.Error())
			}
			at = len(w.Resources)
			places[s.Resource] = at
			w.Resources = append(w.Resources, ingest.Resource{ID: id, Original: s.Resource})
		}
		w.Samples[i] = ingest.Sample{Resource: at, Metric: s.Metric, Time: s.Time, Value: s.Value}
	}
	w.NeedType = func(tx *engine.Tx) error {
		_, err := tx.ResourceType(db)
		if errors.Is(err, engine.ErrNotFound) {
			return badRequest(object{{"cause", "Resource type does not exist"}, {"detail", db}})
		}
		return err
	}
	return w, nil
}
