package main

import (
	"time"

	"github.com/spf13/pflag"
)

// defaultData is where a database is unless a flag says otherwise.
const defaultData = "./tsdb-data"

// serveFlags are the settings of tsdb serve. Each has a flag and, by the same name, a key of the configuration file.
type serveFlags struct {
	config string

	data, listen, sync  string
	syncEvery, grace    time.Duration
	memory, maxBody     string
	maxBodies           string
	maxRequests         int
	clientShare         int
	maxQuery, maxHeader string
	patience            time.Duration
	maxLimit            int
	noDefaultPolicies   bool
	logFormat, logLevel string

	keepEnded, keepRevisions time.Duration
	keepEvents               time.Duration

	querySeries int
	queryPoints int64
	queryMemory string
	queryTime   time.Duration

	corsOrigins     []string
	proxyHeaders    bool
	prefix          string
	tlsCert, tlsKey string

	auth           string
	authNoneForce  bool
	policyFile     string
	remoteHeader   string
	trustedProxies []string
	keystone       keystoneFlags
	statsd         statsdFlags
	ceilometer     ceilometerFlags
	publish        publishFlags
}

// keystoneFlags are the settings of authentication by Keystone.
type keystoneFlags struct {
	url, username, password, passwordFile string
	userDomain, project, projectDomain    string
	caFile                                string
	timeout, cache, negative              time.Duration
	tokens                                int
}

// secrets are the settings that are not shown.
var secrets = map[string]bool{"keystone-password": true, "telemetry-secret": true}

// add registers the settings with their defaults.
func (f *serveFlags) add(fl *pflag.FlagSet) {
	fl.StringVar(&f.config, "config", "", "file with settings: a line NAME = VALUE for a flag, in TOML; flags come before it")
	fl.StringVar(&f.data, "data", defaultData, "directory of the database")
	fl.StringVar(&f.listen, "listen", "127.0.0.1:8041", "address to listen on; port 0 takes a free one")
	fl.StringVar(&f.sync, "sync", "always", "when a write is on disk: always (before it is answered) or interval (soon after)")
	fl.DurationVar(&f.syncEvery, "sync-every", time.Second, "what a power loss may take with --sync interval")
	fl.StringVar(&f.memory, "memory", "auto", "memory for samples not yet sealed, caches and buffers; auto: a sixteenth of the machine's, 64MiB to 1GiB")
	fl.DurationVar(&f.keepEnded, "keep-ended", 0, "how long resources are kept after they ended, with their metrics; 0: for ever")
	fl.DurationVar(&f.keepRevisions, "keep-revisions", 0, "how long past states of resources are kept; 0: as long as the resource")
	fl.DurationVar(&f.keepEvents, "keep-events", 0, "how long events are kept after they were generated, by whole days; 0: for ever")
	fl.BoolVar(&f.noDefaultPolicies, "no-default-policies", false, "do not create archive policies in an empty database")
	fl.StringVar(&f.logFormat, "log-format", "text", "text or json")
	fl.StringVar(&f.logLevel, "log-level", "info", "debug (with a line for each request), info, warn or error")
	f.addHTTP(fl)
	f.addAuth(fl)
	f.statsd.add(fl)
	f.ceilometer.add(fl)
	f.publish.add(fl)
}

func (f *serveFlags) addHTTP(fl *pflag.FlagSet) {
	fl.IntVar(&f.maxLimit, "max-limit", 1000, "most items on a page of a list")
	fl.StringVar(&f.maxBody, "max-body", "64MiB", "largest request body, after decompression; of measures, other bodies have at most 1MiB")
	fl.StringVar(&f.maxBodies, "max-bodies", "256MiB", "memory for the bodies of all requests under way, 128 bytes for each value in them included")
	fl.IntVar(&f.maxRequests, "max-requests", 512, "most requests served at once")
	fl.IntVar(&f.clientShare, "client-share", 75, "how much of --max-requests and --max-bodies one client may have, in percent: a project, or an address where there is none")
	fl.StringVar(&f.maxQuery, "max-query", "128KiB", "longest query string")
	fl.StringVar(&f.maxHeader, "max-header", "256KiB", "longest request line with headers")
	fl.IntVar(&f.querySeries, "query-series", 100_000, "most series that one request may read")
	fl.Int64Var(&f.queryPoints, "query-points", 20_000_000, "most points that one request may read")
	fl.StringVar(&f.queryMemory, "query-memory", "1GiB", "memory that the columns of one request may take")
	fl.DurationVar(&f.queryTime, "query-time", time.Minute, "how long one request may compute")
	fl.DurationVar(&f.patience, "patience", 20*time.Second, "how long in all a client may stall with a request or an answer")
	fl.DurationVar(&f.grace, "grace", 10*time.Second, "time for requests under way when the server stops")
	fl.StringArrayVar(&f.corsOrigins, "cors-origin", nil, "origin whose pages may use the API from a browser, such as https://grafana.example; may be given more than once")
	fl.BoolVar(&f.proxyHeaders, "proxy-headers", false, "believe Forwarded, X-Forwarded-Proto, -Host, -For and -Prefix: behind a proxy that sets them")
	fl.StringVar(&f.prefix, "prefix", "", "path that the API is mounted at, such as /metric")
	fl.StringVar(&f.tlsCert, "tls-cert", "", "certificate to serve HTTPS with, PEM; read again when it changes")
	fl.StringVar(&f.tlsKey, "tls-key", "", "key of the certificate, PEM; read again when it changes")
}

func (f *serveFlags) addAuth(fl *pflag.FlagSet) {
	fl.StringVar(&f.auth, "auth", "basic", "who is believed: basic (any user name), keystone (tokens), remoteuser (a header of a server in front) or none (everybody)")
	fl.BoolVar(&f.authNoneForce, "auth-none-force", false, "permit --auth none on other than loopback addresses")
	fl.StringVar(&f.policyFile, "policy-file", "", "rules of oslo.policy that override the default ones, YAML or JSON")
	fl.StringVar(&f.remoteHeader, "remoteuser-header", "X-Remote-User", "header with the user's name, for --auth remoteuser")
	fl.StringArrayVar(&f.trustedProxies, "remoteuser-from", []string{"127.0.0.0/8", "::1"}, "address or network that the header is believed from; may be given more than once")
	k := &f.keystone
	fl.StringVar(&k.url, "keystone-url", "", "Keystone's address, such as https://keystone.example:5000")
	fl.StringVar(&k.username, "keystone-username", "gnocchi", "user who may validate tokens")
	fl.StringVar(&k.password, "keystone-password", "", "that user's password; better in a file")
	fl.StringVar(&k.passwordFile, "keystone-password-file", "", "file with that user's password")
	fl.StringVar(&k.userDomain, "keystone-user-domain", "Default", "name of that user's domain")
	fl.StringVar(&k.project, "keystone-project", "service", "name of that user's project")
	fl.StringVar(&k.projectDomain, "keystone-project-domain", "Default", "name of that project's domain")
	fl.StringVar(&k.caFile, "keystone-ca", "", "certificates to check Keystone's with, PEM")
	fl.DurationVar(&k.timeout, "keystone-timeout", 5*time.Second, "time for Keystone to answer")
	fl.DurationVar(&k.cache, "keystone-cache", 5*time.Minute, "how long a token is good at most before Keystone is asked again")
	fl.DurationVar(&k.negative, "keystone-cache-negative", 10*time.Second, "how long a token is remembered as no good")
	fl.IntVar(&k.tokens, "keystone-cache-tokens", 10000, "how many tokens are remembered")
}
