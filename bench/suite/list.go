package suite

import (
	"fmt"
	"slices"
	"strings"
)

// Target is a store that can be measured.
type Target struct {
	Name   string
	Folder string // of the adapter, below bench/target
	Ours   bool   // it is this project's; what it fails at fails the run
	Server bool   // it is asked through a socket; -limit holds for it
	Syncs  bool   // it can put each batch on stable storage, which the phase fsync asks for
	Empty  bool   // stores nothing, so its answers are not judged
	Needs  string // besides Go and this repository
	About  string

	built bool // its adapter is in the work directory already
}

// Targets are all that the suite knows, in the order of reports.
var Targets = []Target{
	{Name: "tsdb", Folder: "tsdb", Ours: true, Syncs: true, About: "this project's engine, linked in"},
	{Name: "prometheus", Folder: "prometheus", About: "Prometheus' TSDB, linked in"},
	{Name: "victoriametrics", Folder: "vm", Needs: "Debian's package of the library: -install, or target/vm/build.sh", About: "VictoriaMetrics' lib/storage, linked in"},
	{Name: "naive", Folder: "naive", Syncs: true, About: "one key a sample in Pebble, linked in"},
	{Name: "null", Folder: "null", Empty: true, About: "stores nothing: the cost of the harness"},
	{Name: "tsdbv1", Folder: "tsdbv1", Ours: true, Server: true, Syncs: true, About: "this project's server through Gnocchi's API"},
	{Name: "tsdbv2", Folder: "tsdbv2", Ours: true, Server: true, Syncs: true, About: "this project's server through Ceilometer's API"},
	{Name: "gnocchi", Folder: "gnocchi", Server: true, Syncs: true, Needs: "-gnocchi URL, or Debian's Gnocchi, PostgreSQL and Redis: -install", About: "Gnocchi, over HTTP"},
	{Name: "mongodb", Folder: "mongodb", Server: true, Syncs: true, Needs: "-mongodb URI, or mongod in PATH", About: "MongoDB in Ceilometer's layout"},
	{Name: "mongots", Folder: "mongots", Server: true, Syncs: true, Needs: "-mongodb URI, or mongod in PATH, 5.0 or newer", About: "MongoDB's time-series collections"},
	{Name: "promserver", Folder: "promserver", Server: true, Needs: "Debian's package prometheus: -install", About: "Prometheus' server, remote write and its query API"},
	{Name: "vmserver", Folder: "vmserver", Server: true, Needs: "Debian's package victoria-metrics: -install", About: "VictoriaMetrics' server"},
	{Name: "influxdb", Folder: "influxdb", Server: true, Syncs: true, Needs: "Debian's package influxdb: -install", About: "InfluxDB's server, which syncs each batch, asked or not"},
}

// DefaultTargets is what a run measures when nothing else is said.
func DefaultTargets() (names []string) {
	for _, t := range Targets {
		if t.Name != "naive" && t.Name != "null" {
			names = append(names, t.Name)
		}
	}
	return names
}

// Phase is a part of what is done with a target and a set.
type Phase struct{ Name, About string }

// Phases are all that the suite knows, in the order in which they are run.
var Phases = []Phase{
	{"ingest", "append everything with one writer, settle, close; what it takes on disk"},
	{"query", "open, then ask q1 to q5 and for the newest samples, warm"},
	{"cold", "each question as the first one of a store just opened, its files dropped from the page cache"},
	{"restart", "from opening a closed store until the first answer"},
	{"verify", "read everything back and compare every bit; in the first round"},
	{"mixed", "append on while a reader asks"},
	{"writers", "ingest with several writers"},
	{"seconds", "ingest in batches of one second, of sets that have one"},
	{"fsync", "ingest with every batch on stable storage, of targets that can"},
	{"crash", "kill the writer (and its server) with SIGKILL, open again, count what was acknowledged and is lost"},
}

// Part is a program that measures goals of its own.
type Part struct {
	Name  string
	Args  []string
	About string
	Long  bool // only run when it is named: it takes longer, or more of the disk, than all the rest
}

// Parts are the goal parts in the order in which they are run.
var Parts = []Part{
	{Name: "seed", About: "the founding measurement over HTTP, beside Gnocchi's figures"},
	{Name: "ceilometer", About: "the founding measurement through Ceilometer's API, beside MongoDB's figures"},
	{Name: "cloud", About: "a small cloud over HTTP, beside Gnocchi's figures"},
	{Name: "codec", Args: []string{"-sets", "D1"}, About: "bytes and time a sample of the codecs"},
	{Name: "growth", About: "how costs grow with samples, metrics, resources, granularities and clients"},
	{Name: "limits", About: "what the machine itself can do"},
	{Name: "scale", Long: true, About: "a million metrics and more, linked in; some 15 minutes and 4 GB"},
}

func names[T any](all []T, name func(T) string) (out []string) {
	for _, one := range all {
		out = append(out, name(one))
	}
	return out
}

// PhaseNames lists the phases.
func PhaseNames() []string { return names(Phases, func(p Phase) string { return p.Name }) }

// PartNames lists the goal parts.
func PartNames() []string { return names(Parts, func(p Part) string { return p.Name }) }

// DefaultParts are the goal parts that run when nothing else is said.
func DefaultParts() (names []string) {
	for _, p := range Parts {
		if !p.Long {
			names = append(names, p.Name)
		}
	}
	return names
}

// known complains about the first name that is not in all.
func known(kind string, asked, all []string) error {
	for _, name := range asked {
		if !slices.Contains(all, name) {
			return fmt.Errorf("no %s %q: there are %s", kind, name, strings.Join(all, ", "))
		}
	}
	return nil
}
