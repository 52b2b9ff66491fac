package auth

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Policy is a set of rules. It never changes.
type Policy struct{ rules map[string]expr }

// DefaultPolicy gives Gnocchi's rules.
func DefaultPolicy() *Policy {
	p, err := ParsePolicy(nil)
	if err != nil {
		panic(err) // the rules are constants of this package
	}
	return p
}

// ParsePolicy gives Gnocchi's rules overridden by those of a policy file of oslo.policy, in YAML or JSON: an object of names and
// rules. Rules may refer to each other (rule:NAME), and a file may name new ones for that. A name that nothing refers to is an
// error, as is a reference to nothing or in a circle. All faults are told at once.
func ParsePolicy(file []byte) (*Policy, error) {
	var overrides map[string]any
	if err := yaml.Unmarshal(file, &overrides); err != nil {
		return nil, fmt.Errorf("no object of names and rules: %w", err)
	}
	p := &Policy{rules: make(map[string]expr, len(defaults)+len(overrides))}
	var errs []error
	for name, text := range defaults {
		e, err := parseRule(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("rule %q: %w", name, err))
		}
		p.rules[string(name)] = e
	}
	for _, name := range slices.Sorted(maps.Keys(overrides)) {
		e, err := parseValue(overrides[name])
		if err != nil {
			errs = append(errs, fmt.Errorf("rule %q: %w", name, err))
		}
		p.rules[name] = e
	}
	if len(errs) == 0 {
		errs = p.check()
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return p, nil
}

func parseValue(v any) (expr, error) {
	switch v := v.(type) {
	case string:
		return parseRule(v)
	case []any:
		return parseLists(v)
	case nil:
		return nil, errors.New("nothing is no rule: write \"@\" to permit, \"!\" to refuse")
	}
	return nil, fmt.Errorf("%v is no rule", v)
}

// check looks for references that lead nowhere or back, and for names that nothing uses.
func (p *Policy) check() (errs []error) {
	used := map[string]bool{}
	state := map[string]int{} // 1: being followed, 2: done
	var follow func(name string)
	follow = func(name string) {
		state[name] = 1
		for _, ref := range references(nil, p.rules[name]) {
			used[ref] = true
			_, known := p.rules[ref]
			switch {
			case !known:
				errs = append(errs, fmt.Errorf("rule %q refers to %q, which does not exist", name, ref))
			case state[ref] == 1:
				errs = append(errs, fmt.Errorf("rule %q refers to %q, which refers back", name, ref))
			case state[ref] == 0:
				follow(ref)
			}
		}
		state[name] = 2
	}
	names := slices.Sorted(maps.Keys(p.rules))
	for _, name := range names {
		if state[name] == 0 {
			follow(name)
		}
	}
	for _, name := range names {
		if _, known := defaults[Rule(name)]; !known && !used[name] {
			errs = append(errs, fmt.Errorf("rule %q is not known, and no other rule refers to it", name))
		}
	}
	return errs
}

// references appends the names of the rules that e refers to.
func references(dst []string, e expr) []string {
	switch e := e.(type) {
	case ruleRef:
		dst = append(dst, string(e))
	case notExpr:
		dst = references(dst, e.sub)
	case allOf:
		for _, sub := range e {
			dst = references(dst, sub)
		}
	case anyOf:
		for _, sub := range e {
			dst = references(dst, sub)
		}
	}
	return dst
}

// permits tells whether the caller may do what the rule is about. A rule that does not exist permits nothing.
func (p *Policy) permits(rule Rule, target Target, c *Caller) bool {
	e, ok := p.rules[string(rule)]
	return ok && e.holds(&env{caller: c, target: target, rules: p.rules})
}
