package index

import "fmt"

// truth is a value of three-valued logic.
type truth int8

const (
	isFalse   truth = -1
	isUnknown truth = 0
	isTrue    truth = 1
)

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// test evaluates the filter on one object.
func (f *Filter) test(fetch Fetch, ord uint32) (truth, error) {
	switch f.Op {
	case And, Or, Not:
		return f.testTree(fetch, ord)
	}
	var room [1]Value
	vals, err := fetch(room[:0], ord, []string{f.Field})
	if err != nil {
		return isUnknown, err
	}
	if len(vals) != 1 {
		return isUnknown, fmt.Errorf("index: %d values of field %q", len(vals), f.Field)
	}
	return f.compare(vals[0])
}

func (f *Filter) testTree(fetch Fetch, ord uint32) (truth, error) {
	if f.Op == Not {
		if len(f.Subs) != 1 {
			return isUnknown, fmt.Errorf("index: not takes one filter, has %d", len(f.Subs))
		}
		t, err := f.Subs[0].test(fetch, ord)
		return -t, err
	}
	out := isTrue
	if f.Op == Or {
		out = isFalse
	}
	for _, s := range f.Subs {
		t, err := s.test(fetch, ord)
		if err != nil {
			return isUnknown, err
		}
		if f.Op == And {
			out = min(out, t)
		} else {
			out = max(out, t)
		}
	}
	return out, nil
}

// compare evaluates a comparison with the attribute's value.
func (f *Filter) compare(have Value) (truth, error) {
	switch f.Op {
	case Eq, Ne:
		eq := have.Kind == f.Value.Kind && Compare(have, f.Value) == 0
		if f.Op == Eq && have.Kind == Null && f.Value.Kind != Null {
			return isUnknown, nil
		}
		return truthOf(eq == (f.Op == Eq)), nil
	case In:
		return f.compareIn(have), nil
	case Lt, Le, Gt, Ge, Like:
		if have.Kind == Null || f.Value.Kind == Null {
			return isUnknown, nil
		}
		if have.Kind != f.Value.Kind {
			return isFalse, nil
		}
	default:
		return isUnknown, fmt.Errorf("index: operator %d", f.Op)
	}
	c := Compare(have, f.Value)
	switch f.Op {
	case Lt:
		return truthOf(c < 0), nil
	case Le:
		return truthOf(c <= 0), nil
	case Gt:
		return truthOf(c > 0), nil
	case Ge:
		return truthOf(c >= 0), nil
	}
	return truthOf(have.Kind == Bytes && like(f.Value.Str, have.Str)), nil
}

func (f *Filter) compareIn(have Value) truth {
	if have.Kind == Null {
		return isUnknown
	}
	out := isFalse
	for _, v := range f.Values {
		switch {
		case v.Kind == Null:
			out = isUnknown
		case Compare(have, v) == 0:
			return isTrue
		}
	}
	return out
}
