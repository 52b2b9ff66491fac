package engine

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

var updateGolden = flag.Bool("update", false, "rewrite the golden files")

// Samples of each record.

func samplePolicy() ArchivePolicy {
	return ArchivePolicy{Name: "high", BackWindow: 2, Raw: RawForever, Methods: []rollup.Method{rollup.Mean, rollup.Pct(95), rollup.Mean.OfRate()},
		Definition: []Granularity{{time.Minute, 0, 0}, {time.Second, 3600, time.Hour}}}
}

func sampleMetric(policy *policyEntry) *metric {
	id := UUID{0: 0x10, 15: 1}
	return newMetric(Metric{Ref: 7, ID: UUID{0: 0x20, 15: 2}, Name: ptr("cpu_util"), Unit: ptr(""), Resource: &id}, policy)
}

func sampleResource() *resource {
	end := time.UnixMicro(1767225600123456).UTC()
	return newResource(3, &Resource{ID: UUID{0: 0x10, 15: 1}, OriginalID: "vm", Type: "instance", Creator: ptr("admin"), ProjectID: ptr(""),
		StartedAt: time.UnixMicro(1).UTC(), RevisionStart: time.UnixMicro(-1).UTC(), EndedAt: &end,
		Attributes: map[string]index.Value{"host": textValue("h\x00"), "size": {Kind: index.Number, Num: -0.5},
			"on": {Kind: index.Bool, Num: 1}, "at": {Kind: index.Time, Time: -5}}},
		[]namedMetric{{"cpu", MetricRef{UUID{15: 5}, 300}}, {"mem", MetricRef{UUID{15: 6}, 301}}})
}

func sampleRevision() *resource {
	r := newResource(9, &sampleResource().Resource, nil)
	r.of, r.until, r.Revision = 3, time.UnixMicro(7).UTC(), 9
	r.RevisionEnd = &r.until
	return r
}

func sampleRecords() map[string][]byte {
	p := samplePolicy()
	return map[string][]byte{
		"counters": appendCounts(nil, &objectCounts{2, 300, 70000, 299, 69000, 0, 0}),
		"policy":   appendPolicy(nil, &p),
		"rule":     appendRule(nil, &Rule{"r", "disk.*", "high"}),
		"resource type": appendResourceType(nil, &ResourceType{"instance", []Attribute{{Name: "host", Type: AttributeString, MaxLength: 255},
			{Name: "size", Type: AttributeNumber, Required: true, Max: ptr(8.5)}}}),
		"resource": appendResource(nil, sampleResource()),
		"revision": appendRevision(nil, sampleRevision()),
		"metric":   appendMetric(nil, sampleMetric(&policyEntry{ord: 2, name: "high"})),
	}
}

// TestRecordsGolden compares records with testdata/records_v1.golden; -update rewrites it. A change there is a change
// of the format.
func TestRecordsGolden(t *testing.T) {
	var out strings.Builder
	recs := sampleRecords()
	for _, name := range []string{"counters", "policy", "rule", "resource type", "resource", "revision", "metric"} {
		fmt.Fprintf(&out, "%s\n", name)
		for rec := recs[name]; len(rec) > 0; rec = rec[min(len(rec), 16):] {
			line := rec[:min(len(rec), 16)]
			text := bytes.Map(func(r rune) rune {
				if r < ' ' || r > '~' {
					return '.'
				}
				return r
			}, bytes.ToValidUTF8(line, []byte(".")))
			fmt.Fprintf(&out, "  %-48s%s\n", fmt.Sprintf("% x", line), text)
		}
	}
	const file = "testdata/records_v1.golden"
	if *updateGolden {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("%s differs:\n%s", file, out.String())
	}
}

func TestRecordsRoundTrip(t *testing.T) {
	entry := &policyEntry{ord: 2, name: "high"}
	set := &policySet{byOrd: map[uint32]*policyEntry{2: entry}}
	recs := sampleRecords()
	if p, err := decodePolicy(recs["policy"]); err != nil || !reflect.DeepEqual(p, samplePolicy()) {
		t.Errorf("policy %+v, %v", p, err)
	}
	if r, err := decodeRule("r", recs["rule"]); err != nil || r != (Rule{"r", "disk.*", "high"}) {
		t.Errorf("rule %+v, %v", r, err)
	}
	if m, err := decodeMetric(7, recs["metric"], set); err != nil || !reflect.DeepEqual(m, sampleMetric(entry)) {
		t.Errorf("metric %+v, %v", m, err)
	}
	if r, err := decodeResource(3, recs["resource"]); err != nil || !reflect.DeepEqual(r, sampleResource()) {
		t.Errorf("resource %+v, %v", r, err)
	}
	if r, err := decodeRevision(9, recs["revision"]); err != nil || !reflect.DeepEqual(r, sampleRevision()) {
		t.Errorf("revision %+v, %v", r, err)
	}
}

// decodeAny tries the record as each kind.
func decodeAny(rec []byte) (errs []error) {
	set := &policySet{byOrd: map[uint32]*policyEntry{2: {ord: 2, name: "high"}}}
	_, err := decodeCounts(rec)
	errs = append(errs, err)
	_, err = decodePolicy(rec)
	errs = append(errs, err)
	_, err = decodeRule("r", rec)
	errs = append(errs, err)
	_, err = decodeResource(1, rec)
	errs = append(errs, err)
	_, err = decodeResourceType("t", rec)
	errs = append(errs, err)
	_, err = decodeRevision(1, rec)
	errs = append(errs, err)
	_, err = decodeMetric(1, rec, set)
	return append(errs, err)
}

func TestDamagedRecords(t *testing.T) {
	for name, rec := range sampleRecords() {
		for i := range 8 * len(rec) {
			bad := bytes.Clone(rec)
			bad[i/8] ^= 1 << (i % 8)
			for _, err := range decodeAny(bad) {
				if err == nil {
					t.Fatalf("%s with bit %d flipped is read without an error", name, i)
				}
			}
		}
		for n := range rec {
			for _, err := range decodeAny(rec[:n]) {
				if err == nil {
					t.Fatalf("the first %d bytes of %s are read without an error", n, name)
				}
			}
		}
		bad := bytes.Clone(rec)
		bad[0] = 9
		if err := decodeAny(bad)[0]; !errors.Is(err, ErrVersion) {
			t.Errorf("%s of version 9: %v", name, err)
		}
	}
}

// FuzzCatalogueRecord gives decoders records whose checksum is right and whose inside is anything.
func FuzzCatalogueRecord(f *testing.F) {
	for _, rec := range sampleRecords() {
		f.Add(rec[1 : len(rec)-4])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rec := endRecord(append(beginRecord(nil), body...), 0)
		decodeAny(rec)
		if r, err := decodeResource(1, rec); err == nil {
			again, err := decodeResource(1, appendResource(nil, r))
			if err != nil || r.bytes() != again.bytes() || len(r.metrics) != len(again.metrics) {
				t.Fatalf("%+v is read as %+v, %v", r, again, err)
			}
		}
	})
}
