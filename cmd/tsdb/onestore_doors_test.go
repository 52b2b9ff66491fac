package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/importer"
	"github.com/telemetrydb/tsdb/server/publish"
	"github.com/telemetrydb/tsdb/server/statsd"
	"github.com/tinylib/msgp/msgp"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"google.golang.org/protobuf/encoding/protowire"
)

// door is a way in. What write gives back differs from usual where the protocol has no place for something; there it says why.
type door struct {
	name  string
	write func(h *oneStore) *written
}

var oneStoreDoors = []door{
	{"http, object form", func(h *oneStore) *written {
		w := usual("http")
		h.must(h.open.ceilometer, caller{}, 202, "POST", publish.PathPublish, "["+objectForm(w, 0)+","+objectForm(w, 1)+"]")
		return w
	}},
	{"http, message form", func(h *oneStore) *written {
		w := usual("messages")
		h.must(h.doors.Handler(), caller{}, 202, "POST", "/", "["+messageForm(w, 0)+","+messageForm(w, 1)+"]")
		return w
	}},
	{"udp", func(h *oneStore) *written { return h.datagrams(usual("udp")) }},
	{"tcp", func(h *oneStore) *written { return h.frames(usual("tcp")) }},
	{"otlp, json", func(h *oneStore) *written {
		w := usual("otlp-json")
		w.source = "openstack" // the protocol has no word for it, so that it is the default
		body := otlpRequest(w, "a library", w.meter, "", 1)
		for _, keys := range [][2]string{{"resource_metrics", "resourceMetrics"}, {"scope_metrics", "scopeMetrics"}, {"data_points", "dataPoints"},
			{"time_unix_nano", "timeUnixNano"}, {"as_double", "asDouble"}, {"string_value", "stringValue"}, {"int_value", "intValue"},
			{"double_value", "doubleValue"}, {"bool_value", "boolValue"}, {"kvlist_value", "kvlistValue"}, {"array_value", "arrayValue"}} {
			body = strings.ReplaceAll(body, `"`+keys[0]+`"`, `"`+keys[1]+`"`)
		}
		h.must(h.open.ceilometer, caller{}, 200, "POST", publish.PathOTLP, body)
		return w
	}},
	{"otlp, of ceilometer", func(h *oneStore) *written {
		w := usual("otlp-ceilometer")
		w.source = "openstack"
		for i, at := range w.times { // it tells the time in seconds
			w.times[i] = at / 1e9 * 1e9
		}
		h.must(h.open.ceilometer, caller{}, 200, "POST", publish.PathOTLP,
			otlpRequest(w, "ceilometer", strings.ReplaceAll(w.meter, ".", "_"), w.meter+" unit:"+w.unit, 1e9))
		return w
	}},
	{"otlp, protocol buffers", func(h *oneStore) *written {
		w := usual("otlp-proto")
		w.source = "openstack"
		h.must(h.open.ceilometer, caller{}, 200, "POST", publish.PathOTLP, otlpProto(w), "Content-Type", "application/x-protobuf")
		return w
	}},
	{"pushgateway", (*oneStore).push},
	{"file", func(h *oneStore) *written {
		w := usual("file")
		h.read(h.doors.ReadFile(h.t.Context(), strings.NewReader(objectForm(w, 0)+"\n"+objectForm(w, 1)+"\n"), nil))
		return w
	}},
	{"csv", func(h *oneStore) *written {
		w := usual("csv")
		rows := publish.CSVHeader + "\n"
		for i, at := range w.times {
			rows += fmt.Sprintf("%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,,\"%s\"\n", appendTime(nil, at), appendTime(nil, at), w.resource, w.meter, w.typ, w.unit,
				number(w.volumes[i]), *w.user, *w.project, w.source, strings.ReplaceAll(w.metadata, `"`, `""`))
		}
		h.read(h.doors.ReadCSV(h.t.Context(), strings.NewReader(rows), nil))
		return w
	}},
	{"dump of mongodb", (*oneStore).importDump},
	{"v2 post", func(h *oneStore) *written {
		w := usual("v2")
		// Values that are posted are text, and the source says whose sample it is.
		w.metadata, w.flat = textMetadata, textMetadata
		var list []string
		for i := range w.times { // the server names samples
			sample, _, _ := strings.Cut(messageForm(w, i), `,"message_id"`)
			list = append(list, sample+"}")
		}
		body := strings.Join(list, ",")
		h.must(h.open.ceilometer, caller{*w.user, *w.project, "member"}, 201, "POST", "/v2/meters/"+w.meter, "["+body+"]")
		w.source = *w.project + ":" + w.source
		return w
	}},
	{"prometheus remote write 1", func(h *oneStore) *written {
		w := ownerless("remote1", "node@remote1:9100", "prometheus", `{"job":"node","instance":"remote1:9100"}`)
		h.must(h.open.gnocchi, w.owner.service(), 202, "POST", "/v1/prometheus/write", string(snappy.Encode(nil, remoteWrite(w, false))),
			"Content-Type", "application/x-protobuf", "Content-Encoding", "snappy")
		return w
	}},
	{"prometheus remote write 2", func(h *oneStore) *written {
		w := ownerless("remote2", "node@remote2:9100", "prometheus", `{"job":"node","instance":"remote2:9100"}`)
		h.must(h.open.gnocchi, w.owner.service(), 202, "POST", "/v1/prometheus/write", string(snappy.Encode(nil, remoteWrite(w, true))),
			"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request", "Content-Encoding", "snappy")
		return w
	}},
	{"influxdb", func(h *oneStore) *written {
		w := ownerless("influx", "vm-influx", "influxdb", `{}`)
		w.times = [2]int64{firstTime, secondTime}
		w.meter = "memory.used"
		h.must(h.open.gnocchi, caller{}, 204, "POST", "/v1/influxdb/query?q=create+database+influxdb", "")
		body := ""
		for i, at := range w.times {
			body += fmt.Sprintf("memory,host=%s used=%s %d\n", w.resource, number(w.volumes[i]), at)
		}
		h.must(h.open.gnocchi, w.owner, 204, "POST", "/v1/influxdb/write", body)
		return w
	}},
	{"statsd", (*oneStore).statsd},
	{"v1 measures", func(h *oneStore) *written {
		w := gnocchis("v1-measures")
		h.create(w, `{"`+w.meter+`": {"archive_policy_name": "kept", "unit": "MB"}}`)
		h.must(h.open.gnocchi, w.owner.service(), 202, "POST", "/v1/metric/"+w.metric+"/measures", measures(w))
		return w
	}},
	{"v1 batch of metrics", func(h *oneStore) *written {
		w := gnocchis("v1-batch")
		h.create(w, `{"`+w.meter+`": {"archive_policy_name": "kept", "unit": "MB"}}`)
		h.must(h.open.gnocchi, w.owner.service(), 202, "POST", "/v1/batch/metrics/measures", `{"`+w.metric+`": `+measures(w)+`}`)
		return w
	}},
	{"v1 batch of resources", func(h *oneStore) *written { return h.gnocchiPublisher(gnocchis("v1-publisher"), "kept") }},
	{"v1 batch of resources, without samples", func(h *oneStore) *written {
		w := gnocchis("v1-aggregates")
		w.aggregated = true // the archive policy keeps no samples: Ceilometer's API lists the meter, and has nothing to show of it
		return h.gnocchiPublisher(w, "aggregates")
	}},
}

// prepare makes what an administrator of Gnocchi makes: archive policies, and a rule for what comes without one. A first sample makes the
// types of resources that ceilometer-upgrade would.
func (h *oneStore) prepare() {
	seed := usual("seed")
	h.must(h.doors.Handler(), caller{}, 202, "POST", "/", "["+objectForm(seed, 0)+"]")
	const definition = `"definition": [{"granularity": 60, "timespan": "30 days"}], "aggregation_methods": ["mean", "min", "max", "sum", "count"]`
	for path, body := range map[string]string{
		"/v1/archive_policy":  `{"name": "kept", "raw_timespan": null, "keep_all": true, ` + definition + `}`,
		"/v1/archive_policy/": `{"name": "aggregates", ` + definition + `}`,
	} {
		h.must(h.open.gnocchi, caller{}, 201, "POST", strings.TrimSuffix(path, "/"), body)
	}
	h.must(h.open.gnocchi, caller{}, 201, "POST", "/v1/archive_policy_rule", `{"name": "all", "metric_pattern": "*", "archive_policy_name": "kept"}`)
}

// service is the caller with the role of services.
func (c caller) service() caller { return caller{c.user, c.project, "service"} }

// ownerless is what comes by protocols that know of resources and metrics, and neither owner, unit, type nor metadata, in milliseconds.
// The resource's attributes stand for metadata.
func ownerless(door, resource, kind, attributes string) *written {
	w := usual(door)
	w.owner = caller{"u-" + door, *w.project, "member"}
	w.resource, w.kind, w.metadata, w.flat, w.attributes = resource, kind, attributes, attributes, attributes
	w.user, w.project, w.nobodys, w.unit, w.unitless, w.source = nil, nil, true, "", true, "openstack"
	w.meter = "memory_usage"
	for i, at := range w.times {
		w.times[i] = at / 1e6 * 1e6
	}
	return w
}

// gnocchis is what comes through Gnocchi's API: the owner and the attributes are those of the resource, the unit is that of the metric.
func gnocchis(door string) *written {
	w := usual(door)
	w.attributes = `{"display_name":"web é","host":"h1","flavor_id":"f1","flavor_name":"m1"}`
	w.metadata, w.flat, w.source = w.attributes, w.attributes, "openstack"
	w.owner.user = "u-service"
	return w
}

func objectForm(w *written, i int) string {
	return fmt.Sprintf(`{"name":%q,"type":%q,"unit":%q,"volume":%s,"user_id":%q,"project_id":%q,"resource_id":%q,"timestamp":"%s","resource_metadata":%s,`+
		`"source":%q,"id":"%s-%d","monotonic_time":null}`, w.meter, w.typ, w.unit, number(w.volumes[i]), *w.user, *w.project, w.resource,
		appendTime(nil, w.times[i]), w.metadata, w.source, w.door, i)
}

func messageForm(w *written, i int) string {
	return fmt.Sprintf(`{"counter_name":%q,"counter_type":%q,"counter_unit":%q,"counter_volume":%s,"user_id":%q,"project_id":%q,"resource_id":%q,`+
		`"timestamp":"%s","resource_metadata":%s,"source":%q,"message_id":"%s-%d"}`, w.meter, w.typ, w.unit, number(w.volumes[i]), *w.user, *w.project,
		w.resource, time.Unix(0, w.times[i]).UTC().Format("2006-01-02T15:04:05.999999"), w.metadata, w.source, w.door, i)
}

// packed appends a value of JSON in msgpack.
func packed(b []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		b = msgp.AppendMapHeader(b, uint32(len(v)))
		for k, x := range v {
			b = packed(msgp.AppendString(b, k), x)
		}
	case []any:
		b = msgp.AppendArrayHeader(b, uint32(len(v)))
		for _, x := range v {
			b = packed(b, x)
		}
	case string:
		b = msgp.AppendString(b, v)
	case bool:
		b = msgp.AppendBool(b, v)
	case nil:
		b = msgp.AppendNil(b)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return msgp.AppendInt64(b, n)
		}
		f, err := v.Float64()
		if err != nil {
			panic(err)
		}
		b = msgp.AppendFloat64(b, f)
	}
	return b
}

// arrive serves a listener until both samples that send brings are there.
func (h *oneStore) arrive(serve func(ctx context.Context, m *publish.Messages) error, network, address string, send func(conn net.Conn) error) {
	h.t.Helper()
	before := h.db.Stats().Samples
	ctx, cancel := context.WithCancel(h.t.Context())
	m := h.doors.Messages()
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, m) }()
	conn, err := net.Dial(network, address)
	if err == nil {
		err = send(conn)
		conn.Close()
	}
	for deadline := time.Now().Add(5 * time.Second); err == nil && h.db.Stats().Samples < before+2 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if ended := <-ended; err == nil {
		err = ended
	}
	m.Close()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *oneStore) datagrams(w *written) *written {
	conn, err := publish.ListenUDP("127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.arrive(func(ctx context.Context, m *publish.Messages) error { return m.ServeUDP(ctx, conn) }, "udp", conn.LocalAddr().String(), func(to net.Conn) error {
		if _, err := to.Write(packed(nil, decode([]byte(messageForm(w, 0))))); err != nil {
			return err
		}
		_, err := to.Write(packed(nil, decode([]byte(messageForm(w, 1)))))
		return err
	})
	return w
}

func (h *oneStore) frames(w *written) *written {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.arrive(func(ctx context.Context, m *publish.Messages) error { return m.ServeTCP(ctx, ln) }, "tcp", ln.Addr().String(), func(to net.Conn) error {
		var all []byte
		for i := range w.times {
			one := packed(nil, decode([]byte(messageForm(w, i))))
			all = append(binary.LittleEndian.AppendUint64(all, uint64(len(one))), one...)
		}
		_, err := to.Write(all)
		return err
	})
	return w
}

// anyValue is a value of JSON as OTLP spells it.
func anyValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return map[string]any{"kvlist_value": map[string]any{"values": keyValues(v)}}
	case []any:
		var list []any
		for _, x := range v {
			list = append(list, anyValue(x))
		}
		return map[string]any{"array_value": map[string]any{"values": list}}
	case string:
		return map[string]any{"string_value": v}
	case bool:
		return map[string]any{"bool_value": v}
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return map[string]any{"int_value": v.String()}
		}
		return map[string]any{"double_value": v}
	}
	return map[string]any{}
}

func keyValues(m map[string]any) (list []any) {
	for k, v := range m {
		list = append(list, map[string]any{"key": k, "value": anyValue(v)})
	}
	return list
}

// labels are the attributes of a point: what names the sample, and its metadata.
func labels(w *written) map[string]any {
	m, ok := decode([]byte(w.metadata)).(map[string]any)
	if !ok {
		panic(w.metadata)
	}
	m["resource_id"], m["user_id"], m["project_id"] = w.resource, *w.user, *w.project
	return m
}

// otlpRequest is a request in JSON with the keys of Ceilometer; times are in units.
func otlpRequest(w *written, scope, name, description string, unit int64) string {
	var list []any
	for i, at := range w.times {
		list = append(list, map[string]any{"attributes": keyValues(labels(w)), "time_unix_nano": at / unit, "as_double": w.volumes[i]})
	}
	metric := map[string]any{"name": name, "description": description, "unit": w.unit, "gauge": map[string]any{"data_points": list}}
	b, err := json.Marshal(map[string]any{"resource_metrics": []any{map[string]any{"scope_metrics": []any{map[string]any{
		"scope": map[string]any{"name": scope}, "metrics": []any{metric}}}}}})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// part appends a field that has bytes.
func part(b []byte, number protowire.Number, of []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), of)
}

func protoValue(v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		return part(nil, 6, protoKeyValues(nil, 1, v))
	case []any:
		var list []byte
		for _, x := range v {
			list = part(list, 1, protoValue(x))
		}
		return part(nil, 5, list)
	case string:
		return part(nil, 1, []byte(v))
	case bool:
		return protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), protowire.EncodeBool(v))
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), uint64(n))
		}
		f, err := v.Float64()
		if err != nil {
			panic(err)
		}
		return protowire.AppendFixed64(protowire.AppendTag(nil, 4, protowire.Fixed64Type), math.Float64bits(f))
	}
	return nil
}

func protoKeyValues(b []byte, number protowire.Number, m map[string]any) []byte {
	for k, v := range m {
		b = part(b, number, part(part(nil, 1, []byte(k)), 2, protoValue(v)))
	}
	return b
}

// otlpProto is a request in protocol buffers.
func otlpProto(w *written) string {
	var gauge []byte
	for i, at := range w.times {
		point := protowire.AppendFixed64(protowire.AppendTag(nil, 3, protowire.Fixed64Type), uint64(at))
		point = protowire.AppendFixed64(protowire.AppendTag(point, 4, protowire.Fixed64Type), math.Float64bits(w.volumes[i]))
		gauge = part(gauge, 1, protoKeyValues(point, 7, labels(w)))
	}
	metric := part(part(part(nil, 1, []byte(w.meter)), 3, []byte(w.unit)), 5, gauge)
	return string(part(nil, 1, part(nil, 2, part(nil, 2, metric))))
}

// push has what Ceilometer's prometheus publisher does.
func (h *oneStore) push() *written {
	w := usual("pushgateway")
	w.meter = "memory_usage"                                                                    // dots are gone
	w.unit, w.source = "", "openstack"                                                          // not said
	w.kind, w.attributes = "generic", "{}"                                                      // as nothing is known of a meter of that name
	w.metadata, w.flat = `{"job":"ceilometer","host":"h1"}`, `{"job":"ceilometer","host":"h1"}` // labels, which are text
	for i, at := range w.times {
		h.clock.Store(at) // the time is that of the arrival
		body := fmt.Sprintf("# TYPE memory_usage gauge\nmemory_usage{resource_id=%q, user_id=%q, project_id=%q, host=\"h1\"} %s\n", w.resource, *w.user,
			*w.project, number(w.volumes[i]))
		h.must(h.open.ceilometer, caller{}, 200, "POST", publish.PathPush+"/ceilometer", body, "Content-Type", "plain/text")
	}
	return w
}

// read checks the result of an import.
func (h *oneStore) read(got publish.Read, err error) {
	h.t.Helper()
	if err != nil || got.Stored != 2 {
		h.t.Fatalf("%+v, %v", got, err)
	}
}

// importDump imports a dump of Ceilometer's database, where times are in milliseconds.
func (h *oneStore) importDump() *written {
	w := usual("mongodb")
	w.metadata = strings.Replace(w.metadata, `{"a.b":{"c":1}}`, `{"a":{"b":{"c":1}}}`, 1) // MongoDB has no dots in keys: Ceilometer nested them
	var all []byte
	for i, at := range w.times {
		w.times[i] = at / 1e6 * 1e6
		metadata := bson.D{{Key: "display_name", Value: "web é"}, {Key: "host", Value: "h1"}, {Key: "flavor_id", Value: "f1"},
			{Key: "flavor_name", Value: "m1"}, {Key: "vcpus", Value: int32(2)}, {Key: "ratio", Value: 2.0}, {Key: "up", Value: true}, {Key: "none", Value: nil},
			{Key: "deep", Value: bson.D{{Key: "a", Value: bson.D{{Key: "b", Value: bson.D{{Key: "c", Value: int64(1)}}}}}}}, {Key: "ips", Value: bson.A{"10.0.0.1", int32(2)}}}
		one, err := bson.Marshal(bson.D{{Key: "_id", Value: primitive.NewObjectIDFromTimestamp(time.Unix(0, at))}, {Key: "counter_name", Value: w.meter},
			{Key: "counter_type", Value: w.typ}, {Key: "counter_unit", Value: w.unit}, {Key: "counter_volume", Value: w.volumes[i]},
			{Key: "user_id", Value: *w.user}, {Key: "project_id", Value: *w.project}, {Key: "resource_id", Value: w.resource},
			{Key: "source", Value: w.source}, {Key: "timestamp", Value: primitive.NewDateTimeFromTime(time.Unix(0, at))},
			{Key: "resource_metadata", Value: metadata}, {Key: "message_id", Value: fmt.Sprint("mongodb-", i)},
			{Key: "recorded_at", Value: primitive.NewDateTimeFromTime(time.Unix(0, at))}})
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, one...)
	}
	if report := h.runImport("meter.bson", all); report.Samples != 2 {
		h.t.Fatalf("%+v", report)
	}
	return w
}

// runImport imports a file of a dump.
func (h *oneStore) runImport(name string, content []byte) *importer.Report {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		h.t.Fatal(err)
	}
	src, err := importer.OpenDump(path)
	if err != nil {
		h.t.Fatal(err)
	}
	report, err := importer.Run(h.t.Context(), src, h.db, h.store, importer.Options{})
	if err != nil {
		h.t.Fatal(err)
	}
	return report
}

// remoteWrite is a request of one of the versions of the protocol.
func remoteWrite(w *written, second bool) []byte {
	job, instance, _ := strings.Cut(w.resource, "@")
	words := []string{"", "__name__", w.meter, "job", job, "instance", instance}
	sample := func(i int) []byte {
		b := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(w.volumes[i]))
		return protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(w.times[i]/1e6))
	}
	var all, series []byte
	if second {
		for _, word := range words {
			all = part(all, 4, []byte(word))
		}
		series = part(nil, 1, []byte{1, 2, 3, 4, 5, 6})
		return part(all, 5, part(part(series, 2, sample(0)), 2, sample(1)))
	}
	for i := 1; i < len(words); i += 2 {
		series = part(series, 1, part(part(nil, 1, []byte(words[i])), 2, []byte(words[i+1])))
	}
	return part(all, 1, part(part(series, 2, sample(0)), 2, sample(1)))
}

// statsd stores at each flush what a gauge was last: two listeners are stopped, each with one line, and the times are those of the lines.
func (h *oneStore) statsd() *written {
	id := engine.NewUUID()
	w := ownerless("statsd", id.String(), "generic", "{}")
	w.meter, w.times = "memory_usage|g", [2]int64{firstTime, secondTime}
	for i, at := range w.times {
		h.clock.Store(at)
		l, err := statsd.New(h.db, statsd.Options{ResourceID: id, Creator: w.owner.user + ":" + w.owner.project, FlushDelay: 10 * time.Millisecond,
			Now: func() time.Time { return time.Unix(0, h.clock.Load()) }})
		if err != nil {
			h.t.Fatal(err)
		}
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			h.t.Fatal(err)
		}
		to := conn.LocalAddr().String()
		before := h.db.Stats().Samples
		ctx, cancel := context.WithCancel(h.t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Serve(ctx, conn) }()
		from, err := net.Dial("udp", to)
		if err == nil {
			_, err = fmt.Fprintf(from, "memory_usage:%s|g", number(w.volumes[i]))
			from.Close()
		}
		for deadline := time.Now().Add(5 * time.Second); err == nil && h.db.Stats().Samples == before && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		cancel()
		if ended := <-ended; err == nil {
			err = ended
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return w
}

// create makes the resource and its metric through Gnocchi's API, as a service does for a project.
func (h *oneStore) create(w *written, metrics string) {
	h.t.Helper()
	attributes, ok := decode([]byte(w.attributes)).(map[string]any)
	if !ok {
		h.t.Fatal(w.attributes)
	}
	attributes["id"], attributes["user_id"], attributes["project_id"], attributes["metrics"] = w.resource, *w.user, *w.project, json.RawMessage(metrics)
	body, err := json.Marshal(attributes)
	if err != nil {
		h.t.Fatal(err)
	}
	answer := h.must(h.open.gnocchi, w.owner.service(), 201, "POST", "/v1/resource/"+w.kind, string(body))
	w.metric, _ = dig(decode([]byte(answer)), "metrics", w.meter).(string)
}

func measures(w *written) string {
	return fmt.Sprintf(`[{"timestamp": "%s", "value": %s}, {"timestamp": "%s", "value": %s}]`, appendTime(nil, w.times[0]), number(w.volumes[0]),
		appendTime(nil, w.times[1]), number(w.volumes[1]))
}

// gnocchiPublisher does as Ceilometer's gnocchi publisher: it sends a batch, makes the resources that are said to be missing, and sends it again.
func (h *oneStore) gnocchiPublisher(w *written, policy string) *written {
	h.t.Helper()
	const path = "/v1/batch/resources/metrics/measures?create_metrics=True"
	body := fmt.Sprintf(`{"%s": {"%s": {"archive_policy_name": "%s", "unit": "MB", "measures": %s}}}`, w.resource, w.meter, policy, measures(w))
	answer := h.must(h.open.gnocchi, w.owner.service(), 400, "POST", path, body)
	if !strings.Contains(answer, "Unknown resources") || !strings.Contains(answer, w.resource) {
		h.t.Fatal(answer)
	}
	h.create(w, fmt.Sprintf(`{"%s": {"archive_policy_name": "%s", "unit": "MB"}}`, w.meter, policy))
	h.must(h.open.gnocchi, w.owner.service(), 202, "POST", path, body)
	return w
}
