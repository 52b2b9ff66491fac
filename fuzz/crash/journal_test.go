package crash

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"testing"
)

// entry is a line of the journal: an operation that is about to begin, or, with Ack, one that has ended well.
type entry struct {
	Worker int
	N      int // of the operation, counting from 1 for each worker
	Ack    bool
	Op     *op     `json:",omitempty"` // of an intention
	Result *result `json:",omitempty"` // of an acknowledgement
}

// op is what a worker does in one step: an append, an update, or for the crowd a tick of one of its chunks.
type op struct {
	Append []batchPart `json:",omitempty"`
	Update *update     `json:",omitempty"`
	Crowd  *crowdTick  `json:",omitempty"`
}

// batchPart is what a batch brings for one metric. The last sample is newer than all before.
type batchPart struct {
	Metric string
	Times  []int64
	Bits   []uint64 // of the values
}

// update is a transaction. It always writes its number to the worker's ledger, a resource, so that one look tells whether it
// was done.
type update struct {
	Policies        []policySpec // created, or changed if they are there
	CreateResources []resourceSpec
	ChangeResources []resourceSpec
	CreateMetrics   []metricSpec
	DeleteMetrics   []string
	DeleteResources []string
}

// crowdTick is one sample for each metric of a chunk of the crowd. Tick 0 creates the chunk.
type crowdTick struct{ Chunk, Tick int }

type result struct{ Accepted, Late, Duplicate int }

type policySpec struct {
	Name       string
	Widths     []int64 // nanoseconds
	Points     []int64
	Methods    []string
	BackWindow int
	Raw        int64 // nanoseconds; -1: for ever
}

type resourceSpec struct {
	ID, Project, Host string
	Rev               float64
}

type metricSpec struct{ ID, Name, Resource, Policy string }

// journal is written by the workers of the child. A line is one write, so that killing the process leaves whole lines but
// perhaps the last.
type journal struct {
	mu sync.Mutex
	f  *os.File
}

func (j *journal) write(e *entry) {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.f.Write(append(b, '\n')); err != nil {
		panic(err)
	}
}

// readJournal returns the entries of a journal. A last line without an end is none.
func readJournal(t *testing.T, name string) []entry {
	b, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []entry
	s := bufio.NewScanner(bytes.NewReader(b[:bytes.LastIndexByte(b, '\n')+1]))
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		var e entry
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, e)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// lastLines returns the end of a journal for people.
func lastLines(name string, n int) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	var out bytes.Buffer
	for _, l := range lines[max(0, len(lines)-n):] {
		if len(l) > 400 {
			l = append(append([]byte(nil), l[:400]...), " …"...)
		}
		fmt.Fprintf(&out, "%s\n", l)
	}
	return out.String()
}
