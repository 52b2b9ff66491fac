package mongodb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/x/mongo/driver/connstring"

	"github.com/telemetrydb/tsdb/bench/child"
	"github.com/telemetrydb/tsdb/bench/target"
)

const (
	answerLimit = 2 * time.Minute // of one operation
	selectLimit = 10 * time.Second
	startLimit  = time.Minute // of a mongod that may have a journal to replay
	databaseMax = 63          // bytes of a database's name
	prefix      = "tsdb_bench"
)

// Server is a connection to one server, or cluster, and the run's database there.
type Server struct {
	client  *mongo.Client
	process *child.Process // nil for a server that others run
	hosts   string
	db      *mongo.Database
	build   build
	limit   time.Duration
}

// build is what the server says of itself.
type build struct {
	Version  string  `bson:"version"`
	Numbers  []int32 `bson:"versionArray"`
	Ferret1  string  `bson:"ferretdbVersion"`
	FerretDB struct {
		Version string `bson:"version"`
	} `bson:"ferretdb"`
}

// Open connects to the server at o.URI, or starts mongod on dir. layout distinguishes the database from those of other targets of a run.
func Open(dir, layout string, o target.Options) (*Server, error) {
	if o.URI == "" {
		return start(dir, layout, o)
	}
	return connect(o.URI, layout, o)
}

// start runs a mongod of our own. Its data are in dir, and it ends with this process.
func start(dir, layout string, o target.Options) (*Server, error) {
	binary, err := exec.LookPath("mongod")
	if err != nil {
		return nil, errors.New("no server: give -mongodb URI (there is no mongod on PATH either)")
	}
	data := filepath.Join(dir, "mongod")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	address, err := child.FreeAddress()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	p, err := child.Start(child.Config{
		Binary:  binary,
		Args:    []string{"--dbpath", data, "--bind_ip", "127.0.0.1", "--port", port, "--nounixsocket"},
		Log:     filepath.Join(dir, "mongod.log"),
		Healthy: child.TCP(address), StartLimit: startLimit,
	})
	if err != nil {
		return nil, err
	}
	s, err := connect("mongodb://"+address+"/?directConnection=true", layout, o)
	if err != nil {
		return nil, errors.Join(err, p.Check(), p.Kill())
	}
	s.process = p
	return s, nil
}

func connect(uri, layout string, o target.Options) (*Server, error) {
	cs, err := connstring.ParseAndValidate(uri)
	if err != nil {
		return nil, fmt.Errorf("the URI of MongoDB: %w", err)
	}
	concern := writeconcern.W1()
	concern.Journal = &o.Fsync
	settings := options.Client().SetAppName("tsdb-bench").SetServerSelectionTimeout(selectLimit).SetConnectTimeout(selectLimit).
		ApplyURI(uri).SetWriteConcern(concern)
	s := &Server{hosts: strings.Join(cs.Hosts, ","), limit: answerLimit}
	if s.client, err = mongo.Connect(context.Background(), settings); err != nil {
		return nil, s.named("connect", err)
	}
	s.db = s.client.Database(databaseName(layout, o.Name))
	err = s.Do("buildInfo", func(ctx context.Context) error {
		return s.client.Database("admin").RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&s.build)
	})
	if err == nil && s.build.Version == "" {
		err = s.named("buildInfo", errors.New("the answer has no version"))
	}
	if err != nil {
		return nil, errors.Join(err, s.client.Disconnect(context.Background()))
	}
	return s, nil
}

// databaseName begins with prefix and holds no character that a file's name on some system could not.
func databaseName(layout, run string) string {
	name := prefix + "_" + layout
	if run != "" {
		name += "_" + run
	}
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, name)
	return name[:min(len(name), databaseMax)]
}

// DB is the run's database.
func (s *Server) DB() *mongo.Database { return s.db }

// Do runs an operation within the limit of time. Its error says which server and which operation.
func (s *Server) Do(what string, operation func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	err := operation(ctx)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || mongo.IsTimeout(err) {
		err = fmt.Errorf("no answer within %v: %w", s.limit, err)
	}
	return s.named(what, err)
}

func (s *Server) named(what string, err error) error {
	err = fmt.Errorf("MongoDB at %s: %s: %w", s.hosts, what, err)
	if s.process != nil {
		err = errors.Join(err, s.process.Check())
	}
	return err
}

// Ferret is whether this is no MongoDB but FerretDB, whose figures say nothing about MongoDB's.
func (s *Server) Ferret() bool { return s.build.Ferret1 != "" || s.build.FerretDB.Version != "" }

// Version is the product's name and version.
func (s *Server) Version() string {
	if s.Ferret() {
		return "FerretDB " + strings.TrimPrefix(s.build.Ferret1+s.build.FerretDB.Version, "v")
	}
	return "MongoDB " + s.build.Version
}

// Major is the first number of MongoDB's version.
func (s *Server) Major() int {
	if len(s.build.Numbers) > 0 {
		return int(s.build.Numbers[0])
	}
	first, _, _ := strings.Cut(s.build.Version, ".")
	n, _ := strconv.Atoi(first)
	return n
}

// Processes is the mongod that Open started, if it did. A nil Server has none.
func (s *Server) Processes() []int {
	if s == nil || s.process == nil {
		return nil
	}
	return []int{s.process.PID()}
}

// Bytes is what the database takes: the files of its collections and of their indexes.
func (s *Server) Bytes() (int64, error) {
	var stats struct {
		Storage float64 `bson:"storageSize"` // a double of some servers, an integer of others
		Index   float64 `bson:"indexSize"`
	}
	err := s.Do("dbStats", func(ctx context.Context) error {
		return s.db.RunCommand(ctx, bson.D{{Key: "dbStats", Value: 1}}).Decode(&stats)
	})
	return int64(stats.Storage + stats.Index), err
}

// Flush asks for a checkpoint, so that the files hold what is in memory and dbStats tells their true sizes. A server that doesn't let this user
// ask makes one by itself within a minute.
func (s *Server) Flush() error {
	err := s.Do("fsync", func(ctx context.Context) error {
		return s.client.Database("admin").RunCommand(ctx, bson.D{{Key: "fsync", Value: 1}}).Err()
	})
	var refused mongo.CommandError
	if errors.As(err, &refused) && (refused.Code == unauthorized || refused.Code == commandNotFound || refused.Code == notImplemented) {
		return nil
	}
	return err
}

// Codes of errors, as MongoDB numbers them.
const (
	unauthorized    = 13
	commandNotFound = 59
	notImplemented  = 238
	namespaceExists = 48
)

// Exists is whether an error says that a collection is there already.
func Exists(err error) bool {
	var refused mongo.CommandError
	return errors.As(err, &refused) && refused.Code == namespaceExists
}

// Drop removes the run's database.
func (s *Server) Drop() error { return s.Do("dropDatabase", s.db.Drop) }

// Close ends the connection, and the server if Open started it.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), selectLimit)
	defer cancel()
	err := s.client.Disconnect(ctx)
	if s.process != nil {
		err = errors.Join(err, s.process.Stop())
	}
	return err
}

// Remove drops the run's database at o.URI. Without a URI there is nothing to remove but the store's directory.
func Remove(layout string, o target.Options) error {
	if o.URI == "" {
		return nil
	}
	s, err := connect(o.URI, layout, o)
	if err != nil {
		return err
	}
	return errors.Join(s.Drop(), s.Close())
}
