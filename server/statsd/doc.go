// Package statsd listens for statsd's datagrams and stores what they say, as gnocchi-statsd does: all metrics belong to one
// configured resource and are called NAME|TYPE.
//
//	l, err := statsd.New(db, statsd.Options{ResourceID: id, Creator: "collector"})
//	conn, err := net.ListenPacket("udp", "127.0.0.1:8125")
//	...
//	err = l.Serve(ctx, conn) // until ctx is done; then what was gathered is stored
//
// Lines are NAME:VALUE|TYPE or NAME:VALUE|c|@RATE. Of gauges (g) and timers (ms) the last value before a flush counts, counters (c)
// are summed, each value divided by its rate. A flush stores one sample a metric, at the time its last line came, and forgets.
//
// A Listener serves one connection. Nothing of a datagram is answered; what is not stored is counted by its reason. What is
// gathered between two flushes is bounded by Options.MaxMetrics.
package statsd
