package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// config gives what tsdb config prints, as TOML reads it.
func config(t *testing.T, args ...string) (map[string]any, string, error) {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), append([]string{"config"}, args...), nil, &out, io.Discard); err != nil {
		return nil, "", err
	}
	var m map[string]any
	if _, err := toml.Decode(out.String(), &m); err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	return m, out.String(), nil
}

// TestConfig has flags come before the file, and the file before what is so by default.
func TestConfig(t *testing.T) {
	file := write(t, "tsdb.toml", `
listen = "127.0.0.1:1"
max-limit = 7
max-body = 1048576
proxy-headers = true
cors-origin = ["http://a.example", "http://b.example"]
patience = "5s"
auth = "keystone"
prefix = "/metric"
[keystone]
url = "http://127.0.0.1:5000"
password = "do not \"show\" this"
cache = "90s"
cache-tokens = 5
`)
	m, text, err := config(t, "--config", file, "--listen", "127.0.0.1:2", "--cors-origin", "http://c.example", "--max-header", "1MiB")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"listen": "127.0.0.1:2", "max-limit": int64(7), "max-body": "1048576", "proxy-headers": true, "patience": "5s", "auth": "keystone",
		"keystone-url": "http://127.0.0.1:5000", "keystone-password": "(hidden)", "keystone-cache": "1m30s", "keystone-cache-tokens": int64(5),
		"keystone-timeout": "5s", "max-header": "1MiB", "memory": "auto", "no-default-policies": false, "prefix": "/metric",
	} {
		if m[key] != want {
			t.Errorf("%s = %v, want %v", key, m[key], want)
		}
	}
	if origins, ok := m["cors-origin"].([]any); !ok || len(origins) != 1 || origins[0] != "http://c.example" {
		t.Errorf("cors-origin = %v", m["cors-origin"])
	}
	if strings.Contains(text, "show") {
		t.Errorf("the password is shown:\n%s", text)
	}
	// What is printed is a file that says the same.
	_, again, err := config(t, "--config", write(t, "again.toml", text))
	if err != nil || again != text {
		t.Errorf("%v\n%s", err, again)
	}
}

func TestConfigRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"no-such-key = 1": "unknown key no-such-key",
		"[keystone]\nurl = \"x\"\n[keystone.deep]\nkey = 1": "unknown key keystone-deep-key",
		"config = \"other\"":                          "unknown key config",
		"a = 1\nb = 2":                                "unknown key b",
		"max-limit = \"7\"":                           "max-limit: 7 is no int",
		"query-series = 0":                            "--query-series",
		"query-memory = \"much\"":                     "--query-memory",
		"keep-ended = \"-1h\"":                        "--keep-ended",
		"keep-events = \"-1h\"":                       "--keep-events",
		"max-limit = 1.5":                             "max-limit: 1.5 is no int",
		"proxy-headers = \"true\"":                    "proxy-headers: true is no bool",
		"listen = true":                               "listen: true is no string",
		"listen = [\"a\"]":                            "listen: want one value",
		"cors-origin = [1.5]":                         "cors-origin: 1.5 is no string",
		"patience = \"soon\"":                         "patience: ",
		"patience = 5":                                "patience: 5 is no duration",
		"listen = ":                                   "line 1",
		"auth = \"magic\"":                            "--auth magic: want basic",
		"auth = \"keystone\"":                         "--auth keystone: keystone: URL",
		"auth = \"none\"\nlisten = \"0.0.0.0:80\"":    "--auth none: everybody who reaches 0.0.0.0:80",
		"auth = \"none\"\nlisten = \":80\"":           "--auth none: everybody",
		"auth = \"remoteuser\"\nremoteuser-from = []": "addresses",
		"auth = \"remoteuser\"\nremoteuser-from = [\"there\"]":      "\"there\" is no address",
		"policy-file = \"/no/such/file\"":                           "/no/such/file",
		"tls-cert = \"x\"":                                          "need each other",
		"tls-cert = \"/no/cert\"\ntls-key = \"/no/key\"":            "/no/cert",
		"prefix = \"metric\"":                                       "--prefix",
		"max-bodies = \"1MiB\"":                                     "--max-bodies 1MiB: want at least --max-body",
		"max-requests = 0":                                          "--max-requests 0",
		"client-share = 101":                                        "--client-share 101: want 1 to 100",
		"max-query = \"2GiB\"":                                      "at most 1GiB",
		"patience = \"0s\"":                                         "--patience",
		"log-level = \"loud\"":                                      "--log-level",
		"[keystone]\npassword = \"x\"\npassword-file = \"x\"":       "", // not looked at with basic authentication
		"auth = \"none\"\nlisten = \"[::1]:80\"":                    "",
		"auth = \"none\"\nauth-none-force = true\nlisten = \":80\"": "",
	} {
		_, _, err := config(t, "--config", write(t, "tsdb.toml", text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s\ngot %v, want %q", text, err, want)
		}
	}
	if _, _, err := config(t, "--config", "/no/such/file"); err == nil {
		t.Error("a missing file: no error")
	}
	if _, _, err := config(t, "--policy-file", write(t, "policy.yaml", "get statsu: role:x")); err == nil || !strings.Contains(err.Error(), "get statsu") {
		t.Errorf("policy: %v", err)
	}
	secret := write(t, "secret", "x\n")
	keystone := []string{"--auth", "keystone", "--keystone-url", "http://x", "--keystone-password-file", secret}
	if _, text, err := config(t, keystone...); err != nil || !strings.Contains(text, secret) {
		t.Errorf("%v\n%s", err, text)
	}
	for _, more := range [][]string{{"--keystone-password", "y"}, {"--keystone-timeout", "0s"}, {"--keystone-ca", secret}} {
		if _, _, err := config(t, append(keystone, more...)...); err == nil {
			t.Errorf("%v: no error", more)
		}
	}
}
