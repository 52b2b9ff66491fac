package publish

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
)

// TestSigned checks messages that Ceilometer 27 has signed, in both encodings. testdata/signatures.jsonl has its own words.
func TestSigned(t *testing.T) {
	file, err := os.ReadFile("testdata/signatures.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(file) {
		var one struct{ Secret, Msgpack, JSON string }
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatal(err)
		}
		packed, err := base64.StdEncoding.DecodeString(one.Msgpack)
		if err != nil {
			t.Fatal(err)
		}
		unpacked, rest, bad := appendMsgpack(nil, packed, maxDepth)
		if bad != nil || len(rest) > 0 {
			t.Fatal(bad, rest)
		}
		for encoding, text := range map[string][]byte{"msgpack": unpacked, "JSON": sayInf([]byte(one.JSON))} {
			v, err := fastjson.ParseBytes(text)
			if err != nil {
				t.Fatal(err)
			}
			if !signed(v, one.Secret) {
				t.Errorf("line %d, %s: the signature does not fit: %s", n+1, encoding, appendPairs(nil, "", v.GetObject()))
			}
			if signed(v, one.Secret+"x") {
				t.Errorf("line %d, %s: the signature fits another secret", n+1, encoding)
			}
			v.Set("resource_id", fastjson.MustParse(`"another"`))
			if signed(v, one.Secret) {
				t.Errorf("line %d, %s: the signature fits another message", n+1, encoding)
			}
		}
		n++
	}
	if n < 4 {
		t.Errorf("%d lines", n)
	}
}

func TestSignatureRefused(t *testing.T) {
	d := decoder{secret: "k"}
	for _, tc := range []struct{ json, detail string }{
		{`{"counter_name":"m"}`, "not signed"},
		{`{"counter_name":"m","message_signature":""}`, "wrong"},
		{`{"counter_name":"m","message_signature":null}`, "wrong"},
		{`{"counter_name":"m","message_signature":"` + strings.Repeat("0", 64) + `"}`, "wrong"},
	} {
		if _, bad := d.sample(fastjson.MustParse(tc.json), 0); bad == nil || bad.Reason != reasonSignature || !strings.Contains(bad.Detail, tc.detail) {
			t.Errorf("%s: %v", tc.json, bad)
		}
	}
}
