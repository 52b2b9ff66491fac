package limits

import (
	"slices"
	"testing"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

func TestEveryLimitIsAFigure(t *testing.T) {
	limits, err := Machine(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range limits {
		if l.Value <= 0 || l.Unit == "" {
			t.Errorf("%+v", l)
		}
	}
}

func TestEntropyOfASmallSet(t *testing.T) {
	dir := t.TempDir()
	if err := dataset.Generate(dir, "D1", 300); err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	limits, err := Entropy(set)
	if err != nil || len(limits) != 1 || limits[0].Value < 0.1 || limits[0].Value > 8 {
		t.Errorf("%+v, %v", limits, err)
	}
}

func TestPlanesKeepEveryByte(t *testing.T) {
	words := []uint64{0, 1, 1 << 40, ^uint64(0)}
	got := planes(slices.Clone(words))
	if len(got) != 32 || got[28] != 0 || got[29] != 2 || got[31] != 1 {
		t.Errorf("%v", got)
	}
}
