package where

import (
	"math"
	"regexp"
	"testing"
)

const traces = `File: x
Type: cpu
-----------+-------------------------------------------------------
      10ms   runtime.memmove
             a.(*T).encode (inline)
             a.run
-----------+-------------------------------------------------------
    pebble:  wal-sync
     1.02s   syscall.write
             a.log
             a.run
-----------+-------------------------------------------------------
      20ms   a.other
-----------+-------------------------------------------------------
        5s   harness.Read
             a.run
`

func TestStacksAreSplitByTheirInnermostKnownFunction(t *testing.T) {
	all, err := parse([]byte(traces))
	if err != nil {
		t.Fatal(err)
	}
	shares, total := split(all, []Part{part("encoding", `^a\.\(\*T\)\.encode$`), part("log", `^a\.log$`), part("all", `^a\.run$`)}, regexp.MustCompile(`^harness\.`))
	if total.Milliseconds() != 1050 || len(shares) != 4 {
		t.Fatalf("%v of %v", shares, total)
	}
	for i, want := range []float64{10. / 1050, 1020. / 1050, 0, 20. / 1050} {
		if math.Abs(shares[i].Part-want) > 1e-9 {
			t.Errorf("%+v, want %v", shares[i], want)
		}
	}
}

func TestWhatIsNoProfileIsAnError(t *testing.T) {
	for _, text := range []string{"", "-----------+---\n   x  a.run\n"} {
		if _, err := parse([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
