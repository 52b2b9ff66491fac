package ceilometer

import (
	"fmt"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/bench/workload"
)

// changeSeconds is how long metadata of a resource stay as they are.
const changeSeconds = 600

// pythonISO is how Ceilometer writes a time: no zone, no fraction.
const pythonISO = "2006-01-02T15:04:05"

// Metadata is what nova says about an instance, in JSON, state being what changes.
func Metadata(resource, state int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{"display_name":"vm-%d","host":"compute-%d","status":"active","state":%d`, resource, resource%7, state)
	for i := range 18 {
		fmt.Fprintf(&b, `,"attribute_%d":"%x-%x-value-of-%d"`, i, resource*7919+i, resource*104729, i)
	}
	fmt.Fprintf(&b, `,"flavor":{"id":"2","name":"m1.medium","vcpus":2,"ram":4096,"disk":40,"ephemeral":0},"vcpus":2,"memory_mb":4096}`)
	return []byte(b.String())
}

// texts is the same as POST /v2/meters/NAME takes it: flat, all of it text.
func texts(resource, state int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{"display_name":"vm-%d","host":"compute-%d","status":"active","state":"%d"`, resource, resource%7, state)
	for i := range 18 {
		fmt.Fprintf(&b, `,"attribute_%d":"%x-%x-value-of-%d"`, i, resource*7919+i, resource*104729, i)
	}
	b.WriteString(`,"flavor.id":"2","flavor.name":"m1.medium","vcpus":"2","memory_mb":"4096"}`)
	return []byte(b.String())
}

// stateAt is the state of a resource's metadata.
func stateAt(resource int, unix int64) int {
	return (int(unix-workload.Start) + 137*resource) / changeSeconds
}

// typeOf is the meter's type, which our store keeps and does not interpret.
func typeOf(m workload.Metric) string {
	switch {
	case strings.HasSuffix(m.Name, ".bytes"), strings.HasSuffix(m.Name, ".requests"), strings.HasSuffix(m.Name, ".packets"), m.Name == "cpu":
		return "cumulative"
	}
	return "gauge"
}

// encoder writes samples as Ceilometer's http publisher does. It serves one goroutine at a time.
type encoder struct {
	w        *workload.Workload
	document func(resource, state int) []byte
	states   []int      // of the resources' metadata
	metadata [][]byte   // the same as text
	heads    [][]string // of each resource and metric, what does not change
	number   uint64     // of samples so far, the message id
}

// newEncoder makes one that writes metadata by document.
func newEncoder(w *workload.Workload, document func(resource, state int) []byte) *encoder {
	e := &encoder{w: w, document: document, states: make([]int, len(w.Resources)), metadata: make([][]byte, len(w.Resources)), heads: make([][]string, len(w.Resources))}
	for i, r := range w.Resources {
		e.states[i] = -1
		for _, m := range r.Metrics {
			e.heads[i] = append(e.heads[i], fmt.Sprintf(
				`{"source":"openstack","counter_name":%q,"counter_type":%q,"counter_unit":%q,"user_id":%q,"project_id":%q,"resource_id":%q,"resource_metadata":`,
				m.Name, typeOf(m), m.Unit, r.UserID, r.ProjectID, r.ID))
		}
	}
	return e
}

// append appends the samples of a row, with commas between.
func (e *encoder) append(dst []byte, row workload.Row) []byte {
	at := time.Unix(row.Unix, 0).UTC()
	for k := range row.Values {
		if k > 0 {
			dst = append(dst, ',')
		}
		e.number++
		dst = e.appendFields(dst, row, k, at)
		dst = append(dst, `,"monotonic_time":null,"message_id":"5eed0000-0000-11f0-8000-`...)
		dst = appendHex12(dst, e.number)
		// Signatures look like this; the server is not told the secret.
		dst = append(dst, `","message_signature":"2f9c1f0a6cf2d1c3b1f0e7b65ad2c8f3e94a17b05d6c3e8f29b04a7c1d5e6f80"}`...)
	}
	return dst
}

// appendLines appends the samples of a row in lines, as they arrived: a resource's together, 150 to 190 ms after their second.
func (e *encoder) appendLines(dst []byte, row workload.Row) []byte {
	at := time.Unix(row.Unix, 0).UTC()
	arrival := at.Add(150*time.Millisecond + time.Duration((row.Unix*7919+int64(row.Resource)*104729)%40)*time.Millisecond)
	for k := range row.Values {
		e.number++
		dst = e.appendFields(dst, row, k, at)
		dst = arrival.AppendFormat(append(dst, `,"recorded_at":"`...), time.RFC3339Nano)
		dst = append(dst, "\"}\n"...)
	}
	return dst
}

// appendFields appends the sample of one metric of a row as far as both doors know it. The object is left open.
func (e *encoder) appendFields(dst []byte, row workload.Row, k int, at time.Time) []byte {
	i := row.Resource
	if state := stateAt(i, row.Unix); state != e.states[i] {
		e.states[i], e.metadata[i] = state, e.document(i, state)
	}
	dst = append(append(dst, e.heads[i][k]...), e.metadata[i]...)
	dst = at.AppendFormat(append(dst, `,"timestamp":"`...), pythonISO)
	return e.w.Resources[i].Metrics[k].AppendValue(append(dst, `","counter_volume":`...), row.Values[k])
}

func appendHex12(dst []byte, n uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 44; shift >= 0; shift -= 4 {
		dst = append(dst, digits[n>>shift&15])
	}
	return dst
}
