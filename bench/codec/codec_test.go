package codec

import (
	"testing"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

func TestBothCodecsTakeEverySample(t *testing.T) {
	dir := t.TempDir()
	if err := dataset.Generate(dir, "D1", 300); err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Cut(set, 128)
	if err != nil {
		t.Fatal(err)
	}
	if c.samples != 70*300 || len(c.blocks) != 70*3 {
		t.Fatalf("%d samples in %d blocks", c.samples, len(c.blocks))
	}
	figures, err := c.Compare()
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range figures {
		if f.Bytes <= 0 || f.Bytes > 16 {
			t.Errorf("codec %d: %+v", i, f)
		}
	}
}
