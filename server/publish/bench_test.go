package publish

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/samples"
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

// second is the body of a request with a second of the founding measurement: 70 samples of four resources, of some 1,280 bytes each, that
// differ from those of another second in times and volumes, which at puts in.
type second struct {
	body   []byte
	times  []int // places of the clock times of the samples
	values []int // places of the digits of their volumes
}

func newSecond(client int) *second {
	s := &second{body: []byte{'['}}
	for r, meters := range []int{25, 25, 10, 10} {
		metadata := fmt.Sprintf(`{"display_name":"vm-%d","host":"compute-%d","status":"active","state":12`, r, r%7)
		for i := range 18 {
			metadata += fmt.Sprintf(`,"attribute_%d":"%x-%x-value-of-%d"`, i, r*7919+i, r*104729, i)
		}
		metadata += `,"flavor":{"id":"2","name":"m1.medium","vcpus":2,"ram":4096,"disk":40,"ephemeral":0},"vcpus":2,"memory_mb":4096}`
		for m := range meters {
			if len(s.body) > 1 {
				s.body = append(s.body, ',')
			}
			s.body = fmt.Appendf(s.body, `{"source":"openstack","counter_name":"meter.%d","counter_type":"gauge","counter_unit":"%%",`+
				`"user_id":"00000000000000000000000000007000","project_id":"00000000000000000000000000009000",`+
				`"resource_id":"5eed0001-%04x-4000-8000-%012x","resource_metadata":%s,"timestamp":"2026-01-01T`, m, client, r, metadata)
			s.times = append(s.times, len(s.body))
			s.body = append(s.body, `00:00:00","counter_volume":`...)
			s.values = append(s.values, len(s.body))
			s.body = append(s.body, `1000.25,"monotonic_time":null,"message_id":"5eed0000-0000-11f0-8000-000000000000",`+
				`"message_signature":"2f9c1f0a6cf2d1c3b1f0e7b65ad2c8f3e94a17b05d6c3e8f29b04a7c1d5e6f80"}`...)
		}
	}
	s.body = append(s.body, ']')
	return s
}

func (s *second) at(n int) []byte {
	clock := fmt.Sprintf("%02d:%02d:%02d", n/3600%24, n/60%60, n%60)
	for _, i := range s.times {
		copy(s.body[i:], clock)
	}
	for i, at := range s.values {
		n := (n*7 + i*31) % 9000
		s.body[at+1], s.body[at+2], s.body[at+3] = byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10)
	}
	return s.body
}

// BenchmarkPublish is one request after the other without HTTP around it, with a database on disk. An iteration is 70 samples.
//
//	go test -run xxx -bench Publish -benchtime 3s ./server/publish
func BenchmarkPublish(b *testing.B) {
	for _, mode := range []struct {
		name string
		sync engine.SyncMode
	}{{"interval", engine.SyncInterval}, {"always", engine.SyncAlways}} {
		b.Run("sync="+mode.name, func(b *testing.B) {
			db, err := engine.Open(b.TempDir(), &engine.Options{Sync: mode.sync})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			handler, s := New(samples.New(db, nil), nil).Publish(), newSecond(0)
			b.ReportAllocs()
			b.SetBytes(int64(len(s.body)))
			for n := 0; b.Loop(); n++ {
				r := httptest.NewRequest(http.MethodPost, "/v2/publish", bytes.NewReader(s.at(n)))
				w := httptest.NewRecorder()
				if handler.ServeHTTP(w, r); w.Code != http.StatusAccepted {
					b.Fatal(w.Code, w.Body)
				}
			}
			b.ReportMetric(float64(70*b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}
