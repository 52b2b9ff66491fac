package dataset

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func writeCSV(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFromCSV(t *testing.T) {
	dir := t.TempDir()
	path := writeCSV(t, "time,series,value\n1700000060,vm-1/cpu,2.5\n1700000000.25,vm-1/cpu,NaN\n2023-11-14T22:13:20Z,\"load, all\",-1e3\n")
	if err := FromCSV(dir, "mine", path); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	times, values, err := s.Columns()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(times[0], []int64{1_700_000_000_250, 1_700_000_060_000}) || values[0][0] == values[0][0] || values[0][1] != 2.5 {
		t.Errorf("%v %v", times[0], values[0])
	}
	if !slices.Equal(times[1], []int64{1_700_000_000_000}) || values[1][0] != -1000 {
		t.Errorf("%v %v", times[1], values[1])
	}
	if a, b := s.Series[0], s.Series[1]; a.Resource != "vm-1" || a.Metric != "cpu" || b.Metric != "load, all" || b.Resource != "load, all" {
		t.Errorf("%+v %+v", a, b)
	}
	if s.StepMillis != 59_750 {
		t.Errorf("step %d", s.StepMillis)
	}
}

func TestFromCSVNamesWhatIsBad(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"header", "when,who,what\n", `line 1: header "when,who,what", want time,series,value`},
		{"empty", "", "header: EOF"},
		{"no rows", "time,series,value\n", "no rows"},
		{"time", "time,series,value\n1,a,1\nyesterday,a,1\n", "line 3, column time"},
		{"time too large", "time,series,value\n1e30,a,1\n", "line 2, column time"},
		{"series", "time,series,value\n1, ,1\n", "line 2, column series"},
		{"tab", "time,series,value\n1,a\tb,1\n", "line 2, column series"},
		{"value", "time,series,value\n1,a,1\n\n2,a,one\n", "line 4, column value"},
		{"fields", "time,series,value\n1,a\n", "line 2"},
		{"quote", "time,series,value\n1,\"a,1\n", "line 2"},
		{"twice", "time,series,value\n1,a,1\n2,a,1\n1.0,a,3\n", "line 4, column time: the series \"a\" has this time already"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := FromCSV(t.TempDir(), "x", writeCSV(t, tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %s", err, tc.want)
			}
		})
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("time,series,value\n1,a,1\n")
	f.Add("time,series,value\n2023-11-14T22:13:20Z,\"a,\"\"b\",-0\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := trace{numbers: map[string]int{}}
		if c.read(strings.NewReader(text)) != nil {
			return
		}
		n := 0
		for i := range c.times {
			c.sort(i)
			n += len(c.times[i])
			if !slices.IsSorted(c.times[i]) && c.sort(i) < 0 {
				t.Errorf("series %d is not in order", i)
			}
		}
		if n == 0 || len(c.series()) != len(c.names) || n > len(text) {
			t.Errorf("%d rows, %d series out of %d bytes", n, len(c.names), len(text))
		}
	})
}
