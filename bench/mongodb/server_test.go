package mongodb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/telemetrydb/tsdb/bench/ferret"
	"github.com/telemetrydb/tsdb/bench/target"
)

const role = "MONGODB_TEST_MONGOD"

func TestMain(m *testing.M) {
	if os.Getenv(role) == "" {
		os.Exit(m.Run())
	}
	if err := ferret.Mongod(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func buildInfo(version string) func(string, bson.M) bson.D {
	return func(string, bson.M) bson.D { return bson.D{{Key: "version", Value: version}} }
}

func open(t *testing.T, uri string) *Server {
	t.Helper()
	s, err := Open(t.TempDir(), "test", target.Options{URI: uri, Name: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestFerretIsToldApart(t *testing.T) {
	s := open(t, ferret.Start(t))
	if !s.Ferret() || !strings.HasPrefix(s.Version(), "FerretDB ") {
		t.Errorf("%v %s", s.Ferret(), s.Version())
	}
	newer := open(t, ferret.Script(t, ferret.Wire50, func(string, bson.M) bson.D {
		return bson.D{{Key: "version", Value: "7.0.77"}, {Key: "ferretdb", Value: bson.D{{Key: "version", Value: "v2.1.0"}}}}
	}).URI)
	if newer.Version() != "FerretDB 2.1.0" {
		t.Error(newer.Version())
	}
	real := open(t, ferret.Script(t, ferret.Wire36, buildInfo("3.6.23")).URI)
	if real.Ferret() || real.Version() != "MongoDB 3.6.23" || real.Major() != 3 || real.Processes() != nil {
		t.Errorf("%v %s %d", real.Ferret(), real.Version(), real.Major())
	}
}

func TestRemoveTouchesOneDatabase(t *testing.T) {
	uri := ferret.Start(t)
	mine, other := open(t, uri), open(t, uri)
	other.db = other.client.Database("ceilometer")
	ctx := context.Background()
	for _, s := range []*Server{mine, other} {
		if _, err := s.DB().Collection("meter").InsertOne(ctx, bson.D{{Key: "a", Value: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := mine.Bytes(); err != nil || n <= 0 {
		t.Errorf("%d bytes, %v", n, err)
	}
	if err := errors.Join(mine.Flush(), Remove("test", target.Options{URI: uri, Name: "r1"}), Remove("test", target.Options{})); err != nil {
		t.Fatal(err)
	}
	for s, want := range map[*Server]int64{mine: 0, other: 1} {
		if n, err := s.DB().Collection("meter").CountDocuments(ctx, bson.D{}); err != nil || n != want {
			t.Errorf("%s: %d documents, want %d; %v", s.DB().Name(), n, want, err)
		}
	}
}

func TestDatabaseName(t *testing.T) {
	for run, want := range map[string]string{
		"": "tsdb_bench_ceilometer", "a-1": "tsdb_bench_ceilometer_a-1", "a/b.$c d": "tsdb_bench_ceilometer_a_b__c_d",
		strings.Repeat("x", 99): "tsdb_bench_ceilometer_" + strings.Repeat("x", databaseMax-len("tsdb_bench_ceilometer_")),
	} {
		if got := databaseName("ceilometer", run); got != want {
			t.Errorf("%q: %q, want %q", run, got, want)
		}
	}
}

func TestServersThatCannotServe(t *testing.T) {
	full := func(string, bson.M) bson.D {
		return bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: 14031}, {Key: "codeName", Value: "OutOfDiskSpace"}, {Key: "errmsg", Value: "no space"}}
	}
	for _, tc := range []struct{ name, uri, want string }{
		{"none", "", "give -mongodb URI"},
		{"no URI", "http://127.0.0.1/", "the URI of MongoDB"},
		{"down", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200", "127.0.0.1:1"},
		{"too old", ferret.Script(t, ferret.Wire34, buildInfo("3.4.0")).URI + "?serverSelectionTimeoutMS=500", "3.6"},
		{"full", ferret.Script(t, ferret.Wire50, full).URI, "OutOfDiskSpace"},
		{"nonsense", ferret.Script(t, ferret.Wire50, func(string, bson.M) bson.D { return bson.D{} }).URI, "no version"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir())
			_, err := Open(t.TempDir(), "test", target.Options{URI: tc.uri})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want it to say %q", err, tc.want)
			}
		})
	}
}

func TestSlowServer(t *testing.T) {
	s := open(t, ferret.Script(t, ferret.Wire50, func(command string, _ bson.M) bson.D {
		if command == "dbStats" {
			return nil
		}
		return bson.D{{Key: "version", Value: "5.0.0"}}
	}).URI)
	s.limit = 100 * time.Millisecond
	_, err := s.Bytes()
	if err == nil || !strings.Contains(err.Error(), "dbStats: no answer within 100ms") || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// onPath makes a mongod that PATH has first.
func onPath(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mongod"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// TestOwnServer starts a mongod twice on the same store.
func TestOwnServer(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	store := t.TempDir()
	onPath(t, "exec env "+role+"=1 "+binary+` "$@"`)
	for n := range int64(2) {
		s, err := Open(store, "test", target.Options{})
		if err != nil {
			t.Fatal(err)
		}
		meter, ctx := s.DB().Collection("meter"), context.Background()
		if found, err := meter.CountDocuments(ctx, bson.D{}); err != nil || found != n {
			t.Errorf("%d documents, want %d; %v", found, n, err)
		}
		if _, err := meter.InsertOne(ctx, bson.D{{Key: "n", Value: n}}); err != nil {
			t.Error(err)
		}
		pids := s.Processes()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if len(pids) != 1 || syscall.Kill(pids[0], 0) == nil {
			t.Errorf("processes %v, of which one still runs", pids)
		}
	}
}

// TestOwnServerThatEnds looks at what a mongod is told and at what the error says when it cannot run.
func TestOwnServerThatEnds(t *testing.T) {
	told, store := filepath.Join(t.TempDir(), "args"), t.TempDir()
	onPath(t, `echo "$@" >`+told+"\necho cannot open the journal\nexit 3\n")
	_, err := Open(store, "test", target.Options{})
	if err == nil || !strings.Contains(err.Error(), "cannot open the journal") {
		t.Error(err)
	}
	args, err := os.ReadFile(told)
	want := "--dbpath " + filepath.Join(store, "mongod") + " --bind_ip 127.0.0.1 --port "
	if err != nil || !strings.HasPrefix(string(args), want) {
		t.Errorf("%s, want %s; %v", args, want, err)
	}
}
