package limit

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
)

func TestShares(t *testing.T) {
	whole := NewBudget(1000)
	s := NewShares(2, 600, whole)
	enter := func(name string) (*Guest, *Budget, error) {
		ctx, g := s.Enter(context.Background())
		if BudgetOf(ctx, whole) != whole {
			t.Error("nobody's request has a share")
		}
		err := g.Is(name)
		if err == nil && (g.Is("another") != nil || s.clients["another"] != nil) {
			t.Error("a request is whose it is")
		}
		return g, BudgetOf(ctx, whole), err
	}
	read := func(b *Budget, n int64) (*Reader, error) { return NewReader(nil, b, n) }

	a1, budget, err := enter("a")
	if err != nil {
		t.Fatal(err)
	}
	alone, err := read(budget, 900)
	if err != nil || whole.Used() != 900 {
		t.Error("a request alone may have more than a share:", err)
	}
	if err := alone.Grow(50); err != nil {
		t.Error(err)
	}
	if err := alone.Grow(51); !errors.Is(err, ErrLarge) {
		t.Error("more than there is for all:", err)
	}
	a2, budget, err := enter("a")
	if err != nil {
		t.Fatal(err)
	}
	var share *ShareError
	if _, err := read(budget, 1); !errors.As(err, &share) || !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "a has requests under way whose bodies take 950 bytes of 600") {
		t.Error(err)
	}
	if _, _, err := enter("a"); !errors.As(err, &share) || !strings.Contains(err.Error(), "a has 2 requests under way") {
		t.Error(err)
	}
	b1, budget, err := enter("b")
	if err != nil || s.Clients() != 2 {
		t.Error(err, s.Clients())
	}
	if _, err := read(budget, 51); errors.As(err, &share) || !errors.Is(err, ErrBusy) {
		t.Error("the whole is used up:", err)
	}
	alone.Release()
	if r, err := read(budget, 51); err != nil {
		t.Error(err)
	} else {
		r.Release()
	}
	for _, g := range []*Guest{a1, a2, b1, a1} { // leaving twice is leaving
		g.Leave()
	}
	if s.Clients() != 0 || whole.Used() != 0 {
		t.Errorf("%d clients, %d bytes are left", s.Clients(), whole.Used())
	}
	none, g := (*Shares)(nil).Enter(context.Background())
	if g.Is("a") != nil || BudgetOf(none, whole) != whole || (*Shares)(nil).Clients() != 0 {
		t.Error("without shares")
	}
	g.Leave()
}

// TestSharesTogether: of whoever comes and goes at once nothing is left.
func TestSharesTogether(t *testing.T) {
	whole := NewBudget(10_000)
	s := NewShares(3, 500, whole)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 500 {
				ctx, g := s.Enter(context.Background())
				if g.Is([]string{"a", "b", "c"}[i%3]) == nil {
					if r, err := NewReader(nil, BudgetOf(ctx, whole), 300); err == nil {
						r.Release()
					}
				}
				g.Leave()
			}
		})
	}
	wg.Wait()
	if s.Clients() != 0 || whole.Used() != 0 {
		t.Errorf("%d clients, %d bytes are left", s.Clients(), whole.Used())
	}
}
