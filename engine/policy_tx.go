package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/index"
)

// CreateArchivePolicy stores p. ErrExists: the name is taken. ErrInvalid: a definition breaks the rules of its fields.
// Methods are put in ascending order without doubles.
func (tx *Tx) CreateArchivePolicy(p ArchivePolicy) error {
	p, err := p.check()
	if err != nil {
		return err
	}
	p.rawKeep = 0
	set := tx.policies()
	if set.byName[p.Name] != nil {
		return &Error{Kind: KindArchivePolicy, Name: p.Name, Err: ErrExists}
	}
	ord, err := nextOrdinal(&tx.counts.policy, KindArchivePolicy, p.Name)
	if err != nil {
		return err
	}
	return tx.putPolicy(newPolicyState(&policyEntry{ord: ord, name: p.Name}, p))
}

func (tx *Tx) putPolicy(s *policyState) error {
	tx.changePolicies().put(s)
	return tx.batch.Set(ordinalKey(keyPolicy, s.ord), appendPolicy(nil, &s.policy), nil)
}

// UpdateArchivePolicy replaces the definition (same granularities; only points and timespans may differ) and,
// if backWindow is not nil, the back window. ErrUnsupported: granularities differ.
func (tx *Tx) UpdateArchivePolicy(name string, definition []Granularity, backWindow *int) (ArchivePolicy, error) {
	s, err := tx.policies().policy(name)
	if err != nil {
		return ArchivePolicy{}, err
	}
	p := s.export()
	p.Definition = definition
	if backWindow != nil {
		p.BackWindow = *backWindow
	}
	if p, err = p.check(); err != nil {
		return ArchivePolicy{}, err
	}
	if fault := compareWidths(s.policy.Definition, definition); fault != "" {
		return ArchivePolicy{}, &Error{Kind: KindArchivePolicy, Name: name, Err: ErrUnsupported, Detail: fault}
	}
	p.rawKeep = s.plan.keepDerived(&p)
	n := newPolicyState(s.policyEntry, p)
	if p.BackWindow != s.policy.BackWindow {
		tx.windows = append(tx.windows, s.policyEntry)
	}
	return n.export(), tx.putPolicy(n)
}

// compareWidths says how the granularities of a new definition differ from the old ones. The words are those of
// Gnocchi's answer.
func compareWidths(old, def []Granularity) string {
	byWidth := func(a, b Granularity) int { return cmp.Compare(a.Width, b.Width) }
	old, def = slices.SortedFunc(slices.Values(old), byWidth), slices.SortedFunc(slices.Values(def), byWidth)
	if len(def) != len(old) {
		return "Cannot add or drop granularities"
	}
	for i := range old {
		if old[i].Width != def[i].Width {
			return fmt.Sprintf("%s granularity interval was changed", secondsText(old[i].Width))
		}
	}
	return ""
}

// DeleteArchivePolicy removes it. ErrInUse: a metric or a rule refers to it.
func (tx *Tx) DeleteArchivePolicy(name string) error {
	s, err := tx.policies().policy(name)
	if err != nil {
		return err
	}
	used := slices.ContainsFunc(tx.policies().rules, func(r Rule) bool { return r.Policy == name })
	if !used {
		if used, err = tx.policyHasMetrics(s); err != nil {
			return err
		}
	}
	if used {
		return &Error{Kind: KindArchivePolicy, Name: name, Err: ErrInUse}
	}
	tx.changePolicies().remove(s)
	return tx.batch.Delete(ordinalKey(keyPolicy, s.ord), nil)
}

func (tx *Tx) policyHasMetrics(s *policyState) (bool, error) {
	set, err := tx.posting(spaceMetrics, fieldPolicy, textValue(s.name))
	if err != nil {
		return false, err
	}
	n := int(set.GetCardinality())
	for _, c := range tx.metrics {
		if c.old != nil && c.old.policy.ord == s.ord {
			n--
		}
		if c.now != nil && c.now.policy.ord == s.ord {
			n++
		}
	}
	return n > 0, nil
}

func checkRule(r Rule) error {
	fault := checkText(r.Name, 1, maxNameChars)
	if fault == "" {
		fault = checkText(r.Pattern, 0, maxNameChars)
	}
	if fault != "" {
		return &Error{Kind: KindRule, Name: r.Name, Err: ErrInvalid, Detail: fault}
	}
	return nil
}

func (tx *Tx) putRule(r Rule) error {
	tx.changePolicies().putRule(r)
	return tx.batch.Set(append([]byte{keyRule}, r.Name...), appendRule(nil, &r), nil)
}

func (tx *Tx) dropRule(name string) error {
	tx.changePolicies().removeRule(name)
	return tx.batch.Delete(append([]byte{keyRule}, name...), nil)
}

// CreateRule stores r. ErrExists, or ErrNotFound for its policy.
func (tx *Tx) CreateRule(r Rule) error {
	if err := checkRule(r); err != nil {
		return err
	}
	if _, err := tx.policies().rule(r.Name); err == nil {
		return &Error{Kind: KindRule, Name: r.Name, Err: ErrExists}
	}
	if _, err := tx.policies().policy(r.Policy); err != nil {
		return err
	}
	return tx.putRule(r)
}

// RenameRule gives a rule a new name. ErrNotFound, ErrExists.
func (tx *Tx) RenameRule(name, to string) (Rule, error) {
	r, err := tx.policies().rule(name)
	if err != nil {
		return Rule{}, err
	}
	r.Name = to
	if err := checkRule(r); err != nil {
		return Rule{}, err
	}
	if _, err := tx.policies().rule(to); err == nil {
		return Rule{}, &Error{Kind: KindRule, Name: to, Err: ErrExists}
	}
	if err := tx.dropRule(name); err != nil {
		return Rule{}, err
	}
	return r, tx.putRule(r)
}

// DeleteRule removes it. ErrNotFound.
func (tx *Tx) DeleteRule(name string) error {
	if _, err := tx.policies().rule(name); err != nil {
		return err
	}
	return tx.dropRule(name)
}

// ArchivePolicy returns the policy. ErrNotFound.
func (tx *Tx) ArchivePolicy(name string) (ArchivePolicy, error) {
	return exportPolicy(tx.policies(), name)
}

// MatchRule returns the first rule, in the order of Rules, whose pattern matches the metric's name.
func (tx *Tx) MatchRule(metric string) (Rule, bool) { return tx.policies().match(metric) }

func exportPolicy(set *policySet, name string) (ArchivePolicy, error) {
	s, err := set.policy(name)
	if err != nil {
		return ArchivePolicy{}, err
	}
	return s.export(), nil
}

// ArchivePolicy returns the policy. ErrNotFound.
func (db *DB) ArchivePolicy(name string) (ArchivePolicy, error) {
	return exportPolicy(db.cat.policies.Load(), name)
}

// ArchivePolicies returns all policies in order of creation.
func (db *DB) ArchivePolicies() []ArchivePolicy {
	set := db.cat.policies.Load()
	ps := make([]ArchivePolicy, len(set.order))
	for i, s := range set.order {
		ps[i] = s.export()
	}
	return ps
}

// Rule returns the rule. ErrNotFound.
func (db *DB) Rule(name string) (Rule, error) { return db.cat.policies.Load().rule(name) }

// Rules returns all rules by pattern descending, then name ascending: the order of matching.
func (db *DB) Rules() []Rule { return slices.Clone(db.cat.policies.Load().rules) }

// MatchRule returns the first rule, in the order of Rules, whose pattern matches the metric's name.
func (db *DB) MatchRule(metric string) (Rule, bool) { return db.cat.policies.Load().match(metric) }

// textValue is how text and ids are indexed.
func textValue(s string) index.Value { return index.Value{Kind: index.Bytes, Str: s} }

// secondsText writes a width in seconds with at least one decimal: 60.0.
func secondsText(d time.Duration) string {
	s := strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
