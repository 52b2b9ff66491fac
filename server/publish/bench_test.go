package publish

import (
	"net/netip"
	"testing"

	"github.com/tinylib/msgp/msgp"
)

// novaMessage is a sample with metadata as that of instances: some 1.3 KB.
func novaMessage() []byte {
	b := msgp.AppendMapHeader(nil, 9)
	for _, f := range []struct{ key, value string }{{"source", "openstack"}, {"counter_name", "cpu_util"}, {"counter_type", "gauge"},
		{"counter_unit", "%"}, {"resource_id", "3c2f5a1e-7d14-4a62-9c9c-5f6f6f6f6f6f"}, {"timestamp", "2026-01-02T12:00:00.678901+00:00"},
		{"message_id", "11d827c2-3af5-4575-8f20-3c12fd2029f8"}} {
		b = msgp.AppendString(msgp.AppendString(b, f.key), f.value)
	}
	b = msgp.AppendFloat64(msgp.AppendString(b, "counter_volume"), 12.5)
	b = msgp.AppendMapHeader(msgp.AppendString(b, "resource_metadata"), 30)
	for i := range 30 {
		b = msgp.AppendString(msgp.AppendString(b, "metadata_key"+string(rune('a'+i%26))+string(rune('a'+i/26))), "a value of some length")
	}
	return b
}

// BenchmarkMessages: go test -run none -bench Messages ./server/publish. An iteration is a sample in msgpack, from the queue into a
// database in memory.
func BenchmarkMessages(b *testing.B) {
	h := newHouse(b, nil)
	m := h.Messages()
	in := h.intake("bench", nil, "")
	one := novaMessage()
	b.SetBytes(int64(len(one)))
	b.ReportAllocs()
	for b.Loop() {
		m.q.put(one, in, netip.AddrPort{})
	}
	m.Close()
}

// BenchmarkMessage is the decoding alone.
func BenchmarkMessage(b *testing.B) {
	h := newHouse(b, nil)
	in := h.intake("bench", nil, "")
	one := novaMessage()
	b.SetBytes(int64(len(one)))
	b.ReportAllocs()
	var room []byte
	for b.Loop() {
		room = in.message(room[:0], one)
		in.samples = in.samples[:0]
	}
}
