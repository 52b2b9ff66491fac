// Package influx reads what InfluxDB's clients write: the line protocol, and the one query that they send before.
//
//	var l influx.Line
//	err := l.Parse([]byte(`cpu,host=a usage=12.5,idle=80i 1510581804179554816`))
//
// A Line holds what stands in a line and nothing else. A Batch makes samples of lines the way Gnocchi does: a tag says which
// resource, the measurement, the field and the other tags say which metric.
//
// Functions may be called concurrently; a Line and a Batch serve one goroutine at a time. Text in them is copied from the input.
// Memory is bounded by the length of the input. A line that cannot be understood is a *LineError.
package influx
