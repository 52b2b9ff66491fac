package limit

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
)

func TestBudget(t *testing.T) {
	b := NewBudget(200 << 10)
	known, err := NewReader(bytes.NewReader(make([]byte, 100<<10)), b, 100<<10)
	if err != nil || b.Used() != 100<<10 {
		t.Fatal(err, b.Used())
	}
	if n, err := io.Copy(io.Discard, known); n != 100<<10 || err != nil && !errors.Is(err, ErrBusy) {
		t.Error(n, err)
	}
	if _, err := NewReader(nil, b, 101<<10); !errors.Is(err, ErrBusy) {
		t.Error("more than there is:", err)
	}
	known.Release()
	known.Release()
	if b.Used() != 0 {
		t.Errorf("%d bytes are taken", b.Used())
	}
	endless, err := NewReader(strings.NewReader(strings.Repeat("x", 1<<20)), b, -1)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, endless)
	if !errors.Is(err, ErrBusy) || n != 192<<10 || b.Used() != 192<<10 {
		t.Errorf("%d bytes were read, %d taken: %v", n, b.Used(), err)
	}
	endless.Release()
	if b.Used() != 0 {
		t.Errorf("%d bytes are taken", b.Used())
	}
	free, err := NewReader(strings.NewReader(strings.Repeat("x", 1<<20)), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, free); n != 1<<20 || err != nil {
		t.Error("without a budget:", n, err)
	}
	if free.Release(); (*Budget)(nil).Used() != 0 {
		t.Error("a budget that is none has been used")
	}
}

// TestTogether has more want in than there is room for: never more than that are, and all leave.
func TestTogether(t *testing.T) {
	const most = 3
	g, b := NewGate(most), NewBudget(most<<10)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 1000 {
				if r, err := NewReader(nil, b, 1<<10); err == nil {
					if used := b.Used(); used < 1<<10 {
						t.Errorf("%d bytes are taken", used)
					}
					r.Release()
				}
				if g.Enter() {
					g.Leave()
				}
			}
		})
	}
	wg.Wait()
	if g.Inside() != 0 || b.Used() != 0 {
		t.Errorf("%d are in, %d bytes taken", g.Inside(), b.Used())
	}
	for range most {
		if !g.Enter() {
			t.Error("there is room")
		}
	}
	if g.Enter() || g.Inside() != most {
		t.Error("there is no room")
	}
}
