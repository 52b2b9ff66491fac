package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/samples"
)

// exportable fills a database with samples and events of every kind.
func exportable(t *testing.T, dir string) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	db, err := engine.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	user, empty, odd := "u1", "", "a \"quoted\",\n\\N \u2028 text"
	var in []samples.Sample
	for i := range 2000 {
		x := samples.Sample{Meter: fmt.Sprint("meter.", i%3), Type: []string{"gauge", "delta", "cumulative"}[i%3], Unit: []string{"%", "", "B,\"s\""}[i%3],
			Volume: math.Float64frombits(r.Uint64()), ResourceID: []string{"vm/1", "ef4cbf4e-2fc5-4a3a-9e3a-6b7a3d7f0a11", "vm-\u00e9"}[r.IntN(3)],
			UserID: []*string{&user, nil, &empty}[i/200%3], ProjectID: []*string{&odd, nil}[i/300%2], Source: "openstack",
			Time: 1.7e18 + r.Int64N(1e13), Arrival: 1.7e18 + int64(i)*1e6,
		}
		if i/500%2 == 1 {
			x.Metadata = []byte(`{"a":{"b":[1,2.0,null,true,"x\ny"]},"n":12345678901234567890}`)
		}
		if math.IsNaN(x.Volume) || math.IsInf(x.Volume, 0) {
			x.Volume = 1
		}
		if i%7 == 0 {
			x.MessageID = fmt.Sprint("message ", i)
		}
		in = append(in, x)
	}
	ctx := context.Background()
	if _, err := samples.New(db, &samples.Options{KeepMessageIDs: true}).Write(ctx, in); err != nil {
		t.Fatal(err)
	}
	_, err = db.AppendEvents(ctx, []engine.Event{{MessageID: "e1", Type: "image.delete", Generated: 1.7e18 + 1, Raw: []byte(`{"x":[1]}`), Traits: []engine.Trait{
		{Name: "t", Kind: engine.TraitText, Text: odd}, {Name: "i", Kind: engine.TraitInt, Int: math.MinInt64}, {Name: "n"},
		{Name: "f", Kind: engine.TraitFloat, Float: 0.1}, {Name: "d", Kind: engine.TraitTime, Int: 1.6e18 + 5}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func runTSDB(t *testing.T, args ...string) string {
	t.Helper()
	var out, stderr bytes.Buffer
	if err := run(context.Background(), args, strings.NewReader(""), &out, &stderr); err != nil {
		t.Fatalf("tsdb %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out.String()
}

// TestExportAndBack exports a database, imports that into another one, and exports again: the files are equal, line by line.
func TestExportAndBack(t *testing.T) {
	from := filepath.Join(t.TempDir(), "from")
	exportable(t, from)
	for _, format := range []string{"jsonl", "csv"} {
		dir := t.TempDir()
		first, second, to := filepath.Join(dir, "first"), filepath.Join(dir, "second"), filepath.Join(dir, "to")
		runTSDB(t, "export", "--data", from, "--format", format, first)
		said := runTSDB(t, "import", "samples", "--data", to, "--keep-message-ids", first)
		if strings.Contains(said, "refused") {
			t.Errorf("%s: %s", format, said)
		}
		runTSDB(t, "export", "--data", to, "--format", format, second)
		a, b := sortedLines(t, first), sortedLines(t, second)
		if !slices.Equal(a, b) {
			t.Errorf("%s: %d lines, %d of them after import and export", format, len(a), len(b))
		}
		if format == "jsonl" && len(a) != 2002 {
			t.Errorf("%d lines", len(a))
		}
	}
}

func sortedLines(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	slices.Sort(lines)
	return lines
}

func TestExportSelects(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	exportable(t, dir)
	all := strings.Count(runTSDB(t, "export", "--data", dir, "-"), "\n")
	some := runTSDB(t, "export", "--data", dir, "--meter", "meter.1", "--resource", "vm/*", "--no-events", "-")
	for line := range strings.Lines(some) {
		if !strings.Contains(line, `"name":"meter.1"`) || !strings.Contains(line, `"resource_id":"vm/1"`) {
			t.Errorf("not selected: %s", line)
		}
	}
	if n := strings.Count(some, "\n"); n == 0 || n >= all/3 {
		t.Errorf("%d of %d selected", n, all)
	}
	if s := runTSDB(t, "export", "--data", dir, "--to", "2000-01-01", "-"); s != "" {
		t.Errorf("before everything: %s", s)
	}
	for _, args := range [][]string{{"--format", "xml", "-"}, {"--from", "soon", "-"}, {"--data", dir + "x", "-"}} {
		if err := run(context.Background(), append([]string{"export", "--data", dir}, args...), nil, new(bytes.Buffer), new(bytes.Buffer)); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}
