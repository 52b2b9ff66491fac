package limits

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/telemetrydb/tsdb/bench/cost"
)

// Limit is one bound of the machine.
type Limit struct {
	What  string
	Value float64
	Unit  string
	Note  string
}

const (
	rounds       = 5         // the best counts: disturbance only ever takes
	memoryWords  = 32 << 20  // 256 MiB, beyond every cache
	syncs        = 400       // of a file
	syncBytes    = 4096      // between two
	jsonPoints   = 9100      // the founding question's
	roundTrips   = 3000      // over HTTP
	answerBytes  = 500 << 10 // of a large one
	largeAnswers = 300
)

// Machine measures all that needs no samples. dir is on the disk in question; what is written there is removed.
func Machine(dir string) ([]Limit, error) {
	all := memory()
	for _, f := range []func() ([]Limit, error){func() ([]Limit, error) { return disk(dir) }, texts, loopback} {
		some, err := f()
		if err != nil {
			return all, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// best is the shortest of some rounds.
func best(f func()) time.Duration {
	least := time.Duration(1<<63 - 1)
	for range rounds {
		begin := time.Now()
		f()
		least = min(least, time.Since(begin))
	}
	return least
}

func perSecond(bytes int, took time.Duration, unit float64) float64 {
	return float64(bytes) / took.Seconds() / unit
}

func memory() []Limit {
	from, to := make([]uint64, memoryWords), make([]uint64, memoryWords)
	for i := range from {
		from[i], to[i] = uint64(i), 1
	}
	read := best(func() {
		var a, b, c, d uint64
		for i := 0; i < len(from); i += 8 {
			x := from[i : i+8 : i+8]
			a, b, c, d = a+x[0]+x[4], b+x[1]+x[5], c+x[2]+x[6], d+x[3]+x[7]
		}
		runtime.KeepAlive(a + b + c + d) // or reading would be optimised away
	})
	copied := best(func() { copy(to, from) })
	const bytes = memoryWords * 8
	return []Limit{
		{"reading memory in order, one core", perSecond(bytes, read, 1e9), "GB/s", "256 MiB"},
		{"copying memory, one core", perSecond(bytes, copied, 1e9), "GB/s", "256 MiB, counted once"},
	}
}

func disk(dir string) (limits []Limit, err error) {
	path := filepath.Join(dir, "limits-sync")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(path)) }()
	block := make([]byte, syncBytes)
	if _, err := f.Write(make([]byte, syncs*syncBytes)); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil { // as Pebble's log, which is written into blocks that are there
		return nil, err
	}
	took := make([]float64, syncs)
	for i := range took {
		begin := time.Now()
		if _, err := f.WriteAt(block, int64(i)*syncBytes); err != nil {
			return nil, err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return nil, err
		}
		took[i] = time.Since(begin).Seconds() * 1e6
	}
	slices.Sort(took)
	return []Limit{
		{"4 KiB written and synced, best", took[0], "us", ""},
		{"4 KiB written and synced, median", took[syncs/2], "us", "into blocks that the file has"},
		{"4 KiB written and synced, p99", took[syncs*99/100], "us", ""},
	}, nil
}

// texts measures JSON as clients get it: points of three, with a time and a number each.
func texts() ([]Limit, error) {
	type point [3]any
	points := make([]point, jsonPoints)
	for i := range points {
		points[i] = point{"2026-01-01T00:00:00+00:00", 1.0, float64(i*7919%100_000) / 1009}
	}
	text, err := json.Marshal(points)
	if err != nil {
		return nil, err
	}
	if !json.Valid(text) {
		return nil, errors.New("no JSON")
	}
	valid := best(func() {
		for range 10 {
			json.Valid(text)
		}
	})
	var back any
	parsed := best(func() { err = json.Unmarshal(text, &back) })
	if err != nil {
		return nil, err
	}
	buf := make([]byte, 0, 64*jsonPoints)
	numbers := best(func() {
		buf = buf[:0]
		for i := range points {
			buf = strconv.AppendFloat(buf, points[i][2].(float64), 'g', -1, 64)
		}
	})
	return []Limit{
		{"JSON scanned by encoding/json, nothing kept", perSecond(10*len(text), valid, 1e6), "MB/s", ""},
		{"JSON parsed by encoding/json into values", perSecond(len(text), parsed, 1e6), "MB/s", ""},
		{"shortest text of a double", float64(numbers.Nanoseconds()) / jsonPoints, "ns", fmt.Sprintf("%d digits and point on average", len(buf)/jsonPoints)},
	}, nil
}

// loopback is what HTTP costs without anything behind it: net/http on both sides, in this process.
func loopback() (limits []Limit, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	large := make([]byte, answerBytes)
	mux := http.NewServeMux()
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(large) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	defer func() {
		err = errors.Join(err, server.Close())
		<-ended
	}()
	client := &http.Client{Timeout: time.Minute}
	defer client.CloseIdleConnections()
	get := func(path string, n int) ([]float64, float64, error) {
		took := make([]float64, n)
		before := cost.CPUSeconds()
		for i := range took {
			begin := time.Now()
			r, err := client.Get("http://" + ln.Addr().String() + path)
			if err != nil {
				return nil, 0, err
			}
			_, err = io.Copy(io.Discard, r.Body)
			if err = errors.Join(err, r.Body.Close()); err != nil {
				return nil, 0, err
			}
			took[i] = time.Since(begin).Seconds() * 1e6
		}
		slices.Sort(took)
		return took, (cost.CPUSeconds() - before) / float64(n) * 1e6, nil
	}
	empty, cpu, err := get("/empty", roundTrips)
	if err != nil {
		return nil, err
	}
	filled, _, err := get("/large", largeAnswers)
	if err != nil {
		return nil, err
	}
	return []Limit{
		{"HTTP request and empty answer, best", empty[0], "us", "net/http on both sides"},
		{"HTTP request and empty answer, median", empty[len(empty)/2], "us", fmt.Sprintf("%.0f us of CPU, both sides", cpu)},
		{"HTTP answer of 500 KiB", perSecond(answerBytes, time.Duration(filled[len(filled)/2]*1e3), 1e6), "MB/s", "median"},
	}, nil
}
