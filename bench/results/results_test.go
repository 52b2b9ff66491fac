package results

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/bench/target"
)

func TestRecordsComeBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.jsonl")
	limit := 2.5
	want := []Record{
		{Run: &Run{Command: "bench run", Machine: map[string]string{"cores": "2"}}},
		{Result: &target.Result{Target: "tsdb", Numbers: map[string]float64{"q1_best_us": 3}}},
		{Missing: &Missing{Target: "mongodb", Why: "no URI"}},
		{Goal: &Goal{What: "disk", Value: 2, Limit: &limit}},
	}
	for _, r := range want {
		if err := Append(path, r); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if met, has := got[3].Goal.Met(); !met || !has {
		t.Error("2 is at most 2.5")
	}
}

func TestReadNamesWhatIsDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.jsonl")
	if err := os.WriteFile(path, []byte("{\"missing\":{\"Why\":\"x\"}}\n{\"result\":"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if len(got) != 1 || err == nil || !strings.Contains(err.Error(), "record 2") {
		t.Errorf("%v, %v", got, err)
	}
}
