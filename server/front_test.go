package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/server/auth"
)

// headers asks h and gives the answer; header is a list of names and values.
func headers(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host = "api.example"
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestCORS(t *testing.T) {
	db := openDB(t, vfs.NewMem())
	defer db.Close()
	some := New(db, &Options{CORSOrigins: []string{"http://foobar.com", "https://grafana.example"}}).Handler()
	all := New(db, &Options{CORSOrigins: []string{"*"}}).Handler()
	none := New(db, nil).Handler()
	const method, wanted = "Access-Control-Request-Method", "Access-Control-Request-Headers"
	for _, tc := range []struct {
		name   string
		h      http.Handler
		method string
		header []string
		status int
		want   string // values of the headers below, in their order
	}{
		{"preflight", some, "OPTIONS", []string{"Origin", "http://foobar.com", method, "PATCH"}, 200, "http://foobar.com true 3600 PATCH - Origin"},
		{"headers", some, "OPTIONS", []string{"Origin", "https://grafana.example", method, "GET", wanted, "x-auth-token, Content-Type,X-Roles"}, 200,
			"https://grafana.example true 3600 GET x-auth-token,Content-Type,X-Roles Origin"},
		{"other header", some, "OPTIONS", []string{"Origin", "http://foobar.com", method, "GET", wanted, "X-Auth-Token,X-Other"}, 200, "- - - - - -"},
		{"other method", some, "OPTIONS", []string{"Origin", "http://foobar.com", method, "CONNECT"}, 200, "- - - - - -"},
		{"no method", some, "OPTIONS", []string{"Origin", "http://foobar.com"}, 200, "- - - - - -"},
		{"other origin", some, "OPTIONS", []string{"Origin", "http://notallowed.com", method, "GET"}, 200, "- - - - - -"},
		{"no origin", some, "OPTIONS", []string{method, "GET"}, 200, "- - - - - -"},
		{"any origin", all, "OPTIONS", []string{"Origin", "http://any.example", method, "GET"}, 200, "* true 3600 GET - Origin"},
		{"off", none, "OPTIONS", []string{"Origin", "http://foobar.com", method, "GET"}, 200, "- - - - - -"},
		{"request", some, "GET", []string{"Origin", "http://foobar.com"}, 200, "http://foobar.com true - - - Origin"},
		{"request of another", some, "GET", []string{"Origin", "http://notallowed.com"}, 200, "- - - - - -"},
		{"refused request", some, "POST", []string{"Origin", "http://foobar.com"}, 405, "http://foobar.com true - - - Origin"},
	} {
		w := headers(tc.h, tc.method, "/v1/capabilities", tc.header...)
		var got []string
		for _, name := range []string{"Allow-Origin", "Allow-Credentials", "Max-Age", "Allow-Methods", "Allow-Headers"} {
			got = append(got, w.Header().Get("Access-Control-"+name))
		}
		got = append(got, w.Header().Get("Vary"))
		for i := range got {
			if got[i] == "" {
				got[i] = "-"
			}
		}
		if text := strings.Join(got, " "); w.Code != tc.status || text != tc.want {
			t.Errorf("%s: %d %s, want %d %s", tc.name, w.Code, text, tc.status, tc.want)
		}
		if tc.method == "OPTIONS" && w.Body.Len() > 0 {
			t.Errorf("%s: %s", tc.name, w.Body)
		}
	}
	keystone, err := auth.NewKeystone(auth.KeystoneOptions{URL: "http://127.0.0.1:1", Username: "u", Password: "p", Project: "s"})
	if err != nil {
		t.Fatal(err)
	}
	h := New(db, &Options{Gate: auth.NewGate(keystone, nil), CORSOrigins: []string{"http://foobar.com"}}).Handler()
	if w := headers(h, "OPTIONS", "/v1/metric", "Origin", "http://foobar.com", method, "GET"); w.Code != 200 || w.Header().Get("Vary") == "" {
		t.Errorf("without a token: %d %v", w.Code, w.Header())
	}
	if w := headers(h, "GET", "/v1/metric", "Origin", "http://foobar.com"); w.Code != 401 || w.Header().Get("Vary") == "" {
		t.Errorf("without a token: %d %v", w.Code, w.Header())
	}
}

// TestOrigin has the first link of / say where the server is.
func TestOrigin(t *testing.T) {
	db := openDB(t, vfs.NewMem())
	defer db.Close()
	const fwd, proto, host, prefix = "Forwarded", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix"
	for _, tc := range []struct {
		o      Options
		header []string
		want   string
	}{
		{Options{}, nil, "http://api.example"},
		{Options{}, []string{fwd, "host=other", proto, "https", host, "other", prefix, "/p"}, "http://api.example"},
		{Options{Prefix: "/gnocchi/"}, nil, "http://api.example/gnocchi"},
		{Options{ProxyHeaders: true}, nil, "http://api.example"},
		{Options{ProxyHeaders: true}, []string{fwd, "for=192.0.2.60;proto=http;host=foobar"}, "http://foobar"},
		{Options{ProxyHeaders: true}, []string{fwd, ` For="[2001:db8::1]:80" ; PROTO=HTTPS; Host="foobar:444", for=x;host=second`}, "https://foobar:444"},
		{Options{ProxyHeaders: true}, []string{fwd, "for=192.0.2.60", host, "not believed beside Forwarded"}, "http://api.example"},
		{Options{ProxyHeaders: true}, []string{proto, "https", host, "foobar"}, "https://foobar"},
		{Options{ProxyHeaders: true}, []string{proto, "javascript"}, "http://api.example"},
		{Options{ProxyHeaders: true}, []string{prefix, "/gnocchi"}, "http://api.example/gnocchi"},
		{Options{ProxyHeaders: true, Prefix: "/b"}, []string{prefix, "/a/", fwd, "host=foobar"}, "http://foobar/a/b"},
	} {
		h := New(db, &tc.o).Handler()
		path := strings.TrimRight(tc.o.Prefix, "/")
		w := headers(h, "GET", path+"/", tc.header...)
		if want := `"href": "` + tc.want + `/v1/"`; w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%+v %v: %d %s, want %s", tc.o.Prefix, tc.header, w.Code, w.Body, want)
		}
		w = headers(h, "GET", path+"/v1", tc.header...)
		if got := w.Header().Get("Location"); w.Code != 302 || got != tc.want+"/v1/" {
			t.Errorf("%+v %v: %d %s", tc.o.Prefix, tc.header, w.Code, got)
		}
	}
	h := New(db, &Options{Prefix: "/gnocchi"}).Handler()
	for path, want := range map[string]int{"/gnocchi": 200, "/gnocchi/healthcheck": 200, "/gnocchi/v1/resource/": 200, "/healthz": 200, "/metrics": 200,
		"/": 404, "/v1/": 404, "/gnocchix": 404, "/gnocchix/v1/": 404} {
		if w := headers(h, "GET", path); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// writeCert makes a certificate of its own for name and stores it with its key.
func writeCert(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// TestTLS changes the certificate of a server that runs.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writeCert(t, dir, "first.example")
	config, err := TLSConfig(certFile, keyFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	addr := listen(t, Options{TLS: config})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	presented := func() string {
		resp, err := client.Get("https://" + addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.TLS.PeerCertificates[0].DNSNames[0]
	}
	until := func(want string) {
		for deadline := time.Now().Add(30 * time.Second); presented() != want; {
			if time.Now().After(deadline) {
				t.Fatalf("%s is not presented", want)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	until("first.example")
	writeCert(t, dir, "second.example")
	until("second.example")
	if err := os.WriteFile(certFile, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(certCheck)
	until("second.example")
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	time.Sleep(certCheck)
	until("second.example")
	writeCert(t, dir, "third.example")
	until("third.example")

	if _, err := TLSConfig(certFile, filepath.Join(dir, "none"), nil); err == nil {
		t.Error("a missing key: no error")
	}
}

// TestCertificateInTheMoment: when the certificate is there and its key is not yet, the old one stays, and only if that lasts is it an error. A file
// that is missing is told once.
func TestCertificateInTheMoment(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writeCert(t, dir, "first.example")
	var log bytes.Buffer
	c := &certificate{certFile: certFile, keyFile: keyFile, logger: slog.New(slog.NewTextHandler(&log, nil))}
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	look := func() (name, said string) {
		t.Helper()
		log.Reset()
		c.checked = time.Time{}
		cert, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.DNSNames[0], log.String()
	}
	stays := func(errs int) {
		t.Helper()
		if name, said := look(); name != "first.example" || strings.Count(said, "level=ERROR") != errs {
			t.Errorf("%s %s", name, said)
		}
	}
	oldKey, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	writeCert(t, dir, "second.example")
	newKey, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(key []byte) {
		t.Helper()
		if err := os.WriteFile(keyFile, key, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	replace(oldKey)
	stays(0)
	stays(1)
	stays(0) // that was said
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	stays(0)
	stays(1)
	stays(0)
	replace(newKey)
	if name, said := look(); name != "second.example" || strings.Contains(said, "ERROR") {
		t.Errorf("%s %s", name, said)
	}
}
