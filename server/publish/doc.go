// Package publish has the doors that Ceilometer's publishers write to: its http, udp, tcp, opentelemetry_http and prometheus
// publishers, and files of the file publisher. All of them end in a samples.Store.
//
//	d := publish.New(store, &publish.Options{Refused: refused})
//	mux.Handle("/v2/publish", d.Publish())          // http publisher: samples and events in JSON
//	m := d.Messages()
//	conn, err := publish.ListenUDP("127.0.0.1:4952")
//	go m.ServeUDP(ctx, conn)                        // a sample in msgpack a datagram
//	go m.ServeTCP(ctx, ln)                          // the same in frames
//	...
//	m.Close()                                       // when they have returned: what came is stored
//
// What comes in is judged element by element: those that are sound are stored, the others counted by protocol and reason (a Refusal),
// and told to the log, of each reason one in a while. What can be read as a whole not at all is refused as a whole. Senders repeat
// nothing that they were answered with 4xx, so refusing all for the sake of one would lose the rest.
//
// Handlers answer when what they took is durable. They ask nobody who he is: whoever mounts them does. Everything here may be used
// concurrently. Input is bounded by its own length: nesting by 64 levels, metadata by 1 MiB, lengths by the bytes that follow.
package publish
