package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/telemetrydb/tsdb/server/auth"
	"go.uber.org/goleak"
)

// tokens is an authenticator that knows two projects.
type tokens struct{}

// Authenticate implements auth.Authenticator: a token is PROJECT or PROJECT-admin.
func (tokens) Authenticate(r *http.Request) (*auth.Caller, error) {
	project, admin, _ := strings.Cut(r.Header.Get("X-Auth-Token"), "-")
	if project == "" {
		return nil, auth.ErrUnauthenticated
	}
	c := &auth.Caller{User: "user:" + project, UserID: "user", ProjectID: project, Scoped: true}
	if admin != "" {
		c.Roles, c.Scoped = []string{"admin"}, false
	}
	return c, nil
}

// Challenge implements auth.Authenticator.
func (tokens) Challenge() string { return "" }

// Optional implements auth.Authenticator.
func (tokens) Optional() bool { return false }

// patient is the longest that anything may take here; what takes longer has been held up by an attack.
const patient = 30 * time.Second

// besieged is a server with honest clients.
type besieged struct {
	url    string
	addr   string
	metric string
	client *http.Client
}

// send sends a request and gives the status and the beginning of the answer.
func (b *besieged) send(token, method, path string, body io.Reader, headers ...string) (int, string, error) {
	r, err := http.NewRequest(method, b.url+path, body)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("X-Auth-Token", token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1000))
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, string(text), err
}

// need sends a request that has to succeed, and decodes the answer into v unless that is nil.
func (b *besieged) need(t *testing.T, token, method, path, body string, want int, v any) {
	t.Helper()
	code, text, err := b.send(token, method, path, strings.NewReader(body))
	if err != nil || code != want {
		t.Fatalf("%s %s: %d %s %v", method, path, code, text, err)
	}
	if v != nil {
		if err := json.Unmarshal([]byte(text), v); err != nil {
			t.Fatal(err)
		}
	}
}

// besiege serves a database with a little in it.
func besiege(t *testing.T, o *Options) *besieged {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	db := openDB(t, vfs.NewMem())
	ctx, stop := context.WithCancel(t.Context())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Gate = auth.NewGate(tokens{}, nil)
	ended := make(chan error, 1)
	go func() { ended <- New(db, o).Serve(ctx, ln) }()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	b := &besieged{url: "http://" + ln.Addr().String(), addr: ln.Addr().String(), client: &http.Client{Timeout: patient, Transport: transport}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	b.need(t, "p-admin", "POST", "/v1/archive_policy", `{"name": "p", "definition": [{"granularity": 1}]}`, 201, nil)
	b.need(t, "p-admin", "POST", "/v1/archive_policy_rule", `{"name": "r", "metric_pattern": "*", "archive_policy_name": "p"}`, 201, nil)
	var m struct{ ID string }
	b.need(t, "own", "POST", "/v1/metric", `{"archive_policy_name": "p"}`, 201, &m)
	b.metric = m.ID
	for i := range 50 {
		id := strings.Repeat("a", 200+i) + "b"
		b.need(t, "own", "POST", "/v1/resource/generic", fmt.Sprintf(`{"id": %q, "metrics": {"m": {}}}`, id), 201, nil)
	}
	return b
}

// honest does what ordinary clients do until stop is closed, and counts it.
func (b *besieged) honest(t *testing.T, stop <-chan struct{}, done *atomic.Int64) {
	for i := int64(0); ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		at := time.Unix(1_700_000_000+i, 0).UTC().Format("2006-01-02T15:04:05")
		for _, r := range []struct {
			method, path, body string
			want               int
		}{
			{"POST", "/v1/metric/" + b.metric + "/measures", `[{"timestamp": "` + at + `", "value": 1}]`, 202},
			{"GET", "/v1/metric/" + b.metric + "/measures?granularity=1&start=" + at, "", 200},
			{"POST", "/v1/search/resource/generic?limit=3", `{"like": {"original_resource_id": "aaa%"}}`, 200},
		} {
			code, text, err := b.send("own", r.method, r.path, strings.NewReader(r.body))
			if err != nil || code != r.want {
				t.Errorf("an honest %s %s: %d %s %v", r.method, r.path, code, text, err)
				return
			}
			done.Add(1)
		}
	}
}

// attack is a request that must be refused, or be answered at once.
type attack struct {
	name, method, path string
	body               func() io.Reader
	headers            []string
	want               []int
}

func text(s string) func() io.Reader { return func() io.Reader { return strings.NewReader(s) } }

// zipped is a body of n times b, compressed.
func zipped(b byte, n int) func() io.Reader {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	piece := bytes.Repeat([]byte{b}, 1<<20)
	for ; n > 0; n -= len(piece) {
		z.Write(piece)
	}
	z.Close()
	return func() io.Reader { return bytes.NewReader(buf.Bytes()) }
}

// tree is a balanced tree of about n operations.
func tree(n int, metric string) string {
	sum := "1"
	for ; n > 1; n /= 2 {
		sum = `["+",` + sum + "," + sum + "]"
	}
	return `["*", ["metric", "` + metric + `", "mean"], ` + sum + "]"
}

func attacks(metric string) []attack {
	const deep = 10_000
	search, aggregates := "/v1/search/resource/generic", "/v1/aggregates"
	post := func(name, path, body string, want ...int) attack {
		return attack{name: name, method: "POST", path: path, body: text(body), want: want}
	}
	operations := func(s string) string { return `{"operations": ` + s + `}` }
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	return []attack{
		post("a deep filter", search, strings.Repeat(`{"not": `, deep)+`{"=": {"id": "x"}}`+strings.Repeat("}", deep), 400),
		post("a deep and", search, strings.Repeat(`{"and": [`, deep)+`{"=": {"id": "x"}}`+strings.Repeat("]}", deep), 400),
		post("a wide filter", search, `{"or": [`+strings.Repeat(`{"=": {"id": "x"}}, `, 500_000)+`{"=": {"id": "x"}}]}`, 400, 413),
		post("a deep filter in text", search+"?filter="+url.QueryEscape(strings.Repeat("not ", deep)+"id = 1"), "", 400, 414),
		post("parentheses in a filter", search+"?filter="+strings.Repeat("(", deep), "", 400, 414),
		post("a filter that is deep in aggregates", aggregates, `{"resource_type": "generic", "search": `+strings.Repeat(`{"not": `, deep)+`{}`+strings.Repeat("}", deep)+
			`, "operations": ["metric", "m", "mean"]}`, 400),
		post("a deep operation", aggregates, operations(strings.Repeat(`["neg", `, 500_000)+"1"+strings.Repeat("]", 500_000)), 400, 413),
		post("an operation of a million nodes", aggregates, operations(tree(1_000_000, metric)), 400, 413),
		post("a million references", aggregates, operations(`["metric"`+strings.Repeat(`, ["`+metric+`", "mean"]`, 500_000)+`]`), 400, 413),
		post("a deep operation that fits", aggregates, operations(strings.Repeat(`["neg", `, 50_000)+"1"+strings.Repeat("]", 50_000)), 400, 413),
		post("many operations in text", aggregates, operations(quoted("(* (metric "+metric+" mean) "+strings.NewReplacer("[", "(", "]", ")", ",", " ", `"`, "").Replace(tree(1<<16, metric))+")")), 400),
		post("many patterns", aggregates, `{"resource_type": "generic", "search": {}, "operations": ["metric"`+strings.Repeat(`, ["*a*a*a*a*b", "mean"]`, 40_000)+`]}`, 400, 404),
		post("a deep operation in text", aggregates, operations(quoted(strings.Repeat("(neg ", 500_000)+"1"+strings.Repeat(")", 500_000))), 400, 413),
		post("parentheses in operations", aggregates, operations(quoted(strings.Repeat("(", 2_000_000))), 400, 413),
		post("a pattern bomb", search, `{"like": {"original_resource_id": "`+strings.Repeat("%a", 5000)+`%c"}}`, 200, 400),
		post("a pattern of wildcards", search, `{"like": {"original_resource_id": "`+strings.Repeat("%_", 100_000)+`c"}}`, 200, 400),
		post("a pattern of names", aggregates, `{"resource_type": "generic", "search": {}, "operations": ["metric", "`+strings.Repeat("*a", 5000)+`", "mean"]}`, 400, 404),
		post("a rule's pattern", "/v1/archive_policy_rule", `{"name": "x", "archive_policy_name": "p", "metric_pattern": "`+strings.Repeat("*a", 10_000)+`"}`, 400, 403),
		{name: "a long query string", method: "GET", path: "/v1/resource/generic?x=" + strings.Repeat("y", 10<<20), body: text(""), want: []int{414, 431}},
		{name: "many parameters", method: "GET", path: "/v1/resource/generic?" + strings.Repeat("sort=id&", 15_000), body: text(""), want: []int{200, 400, 414}},
		{name: "a long path", method: "GET", path: "/v1/" + strings.Repeat("x/", 100_000), body: text(""), want: []int{404, 414, 431}},
		{name: "a bomb of measures", method: "POST", path: "/v1/metric/" + metric + "/measures", body: zipped(' ', 64<<20), headers: []string{"Content-Encoding", "gzip"}, want: []int{413}},
		{name: "a bomb of arrays", method: "POST", path: "/v1/batch/metrics/measures", body: zipped('[', 8<<20), headers: []string{"Content-Encoding", "gzip"}, want: []int{400, 413}},
		{name: "a bomb of lines", method: "POST", path: "/v1/influxdb/write?db=generic", body: zipped('\n', 64<<20), headers: []string{"Content-Encoding", "gzip"}, want: []int{413}},
		post("a line that grows", "/v1/influxdb/write?db=generic", "m,host=a,t="+strings.Repeat("x", 1<<20)+" "+strings.Repeat("f=1,", 200_000)+"f=1", 400),
		{name: "a bomb of series", method: "POST", path: "/v1/prometheus/write", want: []int{413, 400},
			body: func() io.Reader { return bytes.NewReader(snappy.Encode(nil, make([]byte, 32<<20))) }},
		post("deep measures", "/v1/metric/"+metric+"/measures", strings.Repeat("[", 100_000), 400, 413),
		post("deep attributes", "/v1/resource/generic", `{"id": "x", "metrics": `+strings.Repeat(`{"a": `, 100_000), 400, 413),
		post("a long number", "/v1/metric/"+metric+"/measures", `[{"timestamp": `+strings.Repeat("9", 1<<20)+`, "value": 1}]`, 400),
		{name: "another project's metric", method: "GET", path: "/v1/metric/" + metric, body: text(""), headers: []string{"X-Auth-Token", "other"}, want: []int{403, 404}},
		{name: "another project's measures", method: "POST", path: "/v1/batch/metrics/measures", body: text(`{"` + metric + `": [{"timestamp": 1, "value": 1}]}`),
			headers: []string{"X-Auth-Token", "other"}, want: []int{403}},
		{name: "no token", method: "GET", path: "/v1/metric/" + metric, body: text(""), headers: []string{"X-Auth-Token", ""}, want: []int{401}},
	}
}

// TestHostile sends what is made to do harm, several at once, while honest clients go on: the one is refused, the others do not
// notice.
func TestHostile(t *testing.T) {
	b := besiege(t, &Options{MaxBodyBytes: 16 << 20, Patience: patient})
	stop := make(chan struct{})
	var done atomic.Int64
	var honest, hostile sync.WaitGroup
	for range 4 {
		honest.Go(func() { b.honest(t, stop, &done) })
	}
	all := attacks(b.metric)
	next := make(chan *attack)
	for range 4 {
		hostile.Go(func() {
			for a := range next {
				before := done.Load()
				begin := time.Now()
				code, answer, err := b.send("own", a.method, a.path, a.body(), a.headers...)
				t.Logf("%s: %d after %v", a.name, code, time.Since(begin))
				if slices.Contains(a.want, http.StatusRequestEntityTooLarge) && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) {
					continue // the server hung up before it had heard everything
				}
				if err != nil || !slices.Contains(a.want, code) {
					t.Errorf("%s: %d %.300s %v, want %v", a.name, code, answer, err, a.want)
				}
				for deadline := time.Now().Add(patient); done.Load() == before; time.Sleep(time.Millisecond) {
					if time.Now().After(deadline) {
						t.Errorf("%s: honest clients do not get on", a.name)
						break
					}
				}
			}
		})
	}
	for i := range all {
		next <- &all[i]
	}
	close(next)
	hostile.Wait()
	close(stop)
	honest.Wait()
}

// TestSlowClients has many clients stall in the midst of a head, of a body, and of reading an answer: the server lets go of them.
func TestSlowClients(t *testing.T) {
	b := besiege(t, &Options{Patience: 100 * time.Millisecond, MaxRequests: 64, Grace: patient})
	stop := make(chan struct{})
	var done atomic.Int64
	var honest sync.WaitGroup
	honest.Go(func() { b.honest(t, stop, &done) })
	var slow sync.WaitGroup
	for range 24 {
		slow.Go(func() {
			conn, err := net.Dial("tcp", b.addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST /v1/metric/%s/measures HTTP/1.1\r\nHost: x\r\nX-Auth-Token: own\r\nContent-Type: application/json\r\n"+
				"Content-Length: 1000\r\n\r\n[", b.metric)
			conn.SetDeadline(time.Now().Add(patient))
			answer, err := io.ReadAll(conn) // until the server closes it
			if err != nil || !bytes.Contains(answer, []byte(" 408 ")) {
				t.Errorf("a stalled body: %q, %v", answer, err)
			}
		})
	}
	slow.Wait()
	close(stop)
	honest.Wait()
	if done.Load() == 0 {
		t.Error("honest clients did nothing")
	}
}
