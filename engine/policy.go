package engine

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/telemetrydb/tsdb/rollup"
)

// policyEntry stands for an archive policy as long as it exists. Metrics point to it, and so follow its updates.
type policyEntry struct {
	ord  uint32
	name string
	now  atomic.Pointer[policyState] // as last committed
}

// policyState is an archive policy between two updates. It never changes.
type policyState struct {
	*policyEntry
	policy ArchivePolicy // read only
	plan   *plan
}

func newPolicyState(e *policyEntry, p ArchivePolicy) *policyState {
	return &policyState{policyEntry: e, policy: p, plan: newPlan(&p)}
}

func (s *policyState) export() ArchivePolicy {
	p := s.policy
	p.Definition, p.Methods = slices.Clone(p.Definition), slices.Clone(p.Methods)
	return p
}

// policySet is all policies and rules. It never changes: a commit puts another in its place.
type policySet struct {
	byName map[string]*policyState
	byOrd  map[uint32]*policyEntry // also those deleted since Open: a snapshot may still show their metrics
	order  []*policyState          // by ordinal, which is the order of creation
	rules  []Rule                  // by pattern descending, then name
}

func (s *policySet) clone() *policySet {
	return &policySet{maps.Clone(s.byName), maps.Clone(s.byOrd), slices.Clone(s.order), slices.Clone(s.rules)}
}

func (s *policySet) put(p *policyState) {
	s.byName[p.name], s.byOrd[p.ord] = p, p.policyEntry
	i, found := slices.BinarySearchFunc(s.order, p.ord, func(q *policyState, ord uint32) int { return cmp.Compare(q.ord, ord) })
	if found {
		s.order[i] = p
	} else {
		s.order = slices.Insert(s.order, i, p)
	}
}

func (s *policySet) remove(p *policyState) {
	delete(s.byName, p.name)
	s.order = slices.DeleteFunc(s.order, func(q *policyState) bool { return q.ord == p.ord })
}

func (s *policySet) policy(name string) (*policyState, error) {
	if p := s.byName[name]; p != nil {
		return p, nil
	}
	return nil, &Error{Kind: KindArchivePolicy, Name: name, Err: ErrNotFound}
}

func (s *policySet) putRule(r Rule) {
	s.rules = append(s.rules, r)
	slices.SortFunc(s.rules, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(b.Pattern, a.Pattern), cmp.Compare(a.Name, b.Name))
	})
}

func (s *policySet) rule(name string) (Rule, error) {
	for _, r := range s.rules {
		if r.Name == name {
			return r, nil
		}
	}
	return Rule{}, &Error{Kind: KindRule, Name: name, Err: ErrNotFound}
}

func (s *policySet) removeRule(name string) {
	s.rules = slices.DeleteFunc(s.rules, func(r Rule) bool { return r.Name == name })
}

func (s *policySet) match(metric string) (Rule, bool) {
	for _, r := range s.rules {
		if matchPattern(r.Pattern, metric) {
			return r, true
		}
	}
	return Rule{}, false
}

// maxNameChars bounds the names of policies, rules and metrics.
const maxNameChars = 255

// check returns the policy in the form it is stored in, or what is wrong with it.
func (p ArchivePolicy) check() (ArchivePolicy, error) {
	invalid := func(format string, args ...any) (ArchivePolicy, error) {
		return p, &Error{Kind: KindArchivePolicy, Name: p.Name, Err: ErrInvalid, Detail: fmt.Sprintf(format, args...)}
	}
	if fault := checkText(p.Name, 1, maxNameChars); fault != "" {
		return invalid("name is %s", fault)
	}
	if p.BackWindow < 0 {
		return invalid("back window %d is negative", p.BackWindow)
	}
	if p.Raw < RawForever {
		return invalid("raw retention %v is negative", p.Raw)
	}
	if p.KeepAll && p.Raw == 0 {
		return invalid("all samples are to be kept, but no raw samples")
	}
	if fault := checkDefinition(p.Definition, p.BackWindow); fault != "" {
		return invalid("%s", fault)
	}
	p.Definition = slices.Clone(p.Definition)
	p.Methods = slices.Clone(p.Methods)
	slices.Sort(p.Methods)
	p.Methods = slices.Compact(p.Methods)
	if len(p.Methods) == 0 {
		return invalid("no aggregation method")
	}
	for _, m := range p.Methods {
		if !m.Valid() {
			return invalid("%v is not an aggregation method", m)
		}
	}
	return p, nil
}

// checkDefinition says what is wrong with a definition.
func checkDefinition(def []Granularity, backWindow int) string {
	if len(def) == 0 {
		return "no granularity"
	}
	seen := make(map[time.Duration]bool)
	for _, g := range def {
		switch {
		case g.Width <= 0:
			return fmt.Sprintf("granularity %v is not positive", g.Width)
		case g.Points < 0:
			return fmt.Sprintf("granularity %v: number of points %d is negative", g.Width, g.Points)
		case g.Points > math.MaxInt64/int64(g.Width):
			return fmt.Sprintf("granularity %v: %d points are longer than a timespan can be", g.Width, g.Points)
		case g.Timespan != g.Width*time.Duration(g.Points):
			return fmt.Sprintf("granularity %v: timespan %v is not granularity times points", g.Width, g.Timespan)
		case int64(backWindow) > math.MaxInt64/int64(g.Width)-1:
			return fmt.Sprintf("back window of %d times %v is longer than a timespan can be", backWindow, g.Width)
		case seen[g.Width]:
			return fmt.Sprintf("more than one definition of granularity %v", g.Width)
		}
		seen[g.Width] = true
	}
	return ""
}

// Records: see catalogue_record.go.

func appendPolicy(dst []byte, p *ArchivePolicy) []byte {
	at := len(dst)
	dst = appendText(beginRecord(dst), p.Name)
	dst = binary.AppendUvarint(dst, uint64(p.BackWindow))
	dst = binary.AppendVarint(dst, int64(p.Raw))
	dst = binary.AppendUvarint(dst, uint64(len(p.Definition)))
	for _, g := range p.Definition {
		dst = binary.AppendUvarint(dst, uint64(g.Width))
		dst = binary.AppendUvarint(dst, uint64(g.Points))
	}
	dst = binary.AppendUvarint(dst, uint64(len(p.Methods)))
	for _, m := range p.Methods {
		dst = binary.AppendUvarint(dst, uint64(m))
	}
	if p.rawKeep != 0 || p.KeepAll {
		dst = binary.AppendVarint(dst, int64(p.rawKeep))
	}
	if p.KeepAll {
		dst = append(dst, 1)
	}
	return endRecord(dst, at)
}

func decodePolicy(rec []byte) (ArchivePolicy, error) {
	r := openRecord(rec)
	p := ArchivePolicy{Name: r.text("name")}
	p.BackWindow = int(r.uvarint("back window"))
	p.Raw = time.Duration(r.varint("raw retention"))
	n := r.count(2, "definition")
	for range n {
		g := Granularity{Width: time.Duration(r.uvarint("granularity")), Points: int64(r.uvarint("points"))}
		g.Timespan = g.Width * time.Duration(g.Points)
		p.Definition = append(p.Definition, g)
	}
	n = r.count(1, "methods")
	for range n {
		p.Methods = append(p.Methods, rollup.Method(r.uvarint("method")))
	}
	if r.src != "" {
		p.rawKeep = time.Duration(r.varint("how long raw blocks are kept"))
		p.KeepAll = r.src != "" && r.byte("whether all samples are kept") == 1
		if r.err == nil && !(p.KeepAll && p.rawKeep == 0) && (p.Raw <= 0 || p.rawKeep != RawForever && p.rawKeep <= p.Raw) {
			return p, formatError("raw blocks are kept no longer than samples are shown")
		}
	}
	if err := r.close(); err != nil {
		return p, err
	}
	// A record that is whole and yet breaks the rules would break what computes with it.
	_, err := p.check()
	return p, err
}

func appendRule(dst []byte, rule *Rule) []byte {
	at := len(dst)
	dst = appendText(beginRecord(dst), rule.Pattern)
	return endRecord(appendText(dst, rule.Policy), at)
}

func decodeRule(name string, rec []byte) (Rule, error) {
	r := openRecord(rec)
	rule := Rule{Name: name, Pattern: r.text("pattern"), Policy: r.text("policy")}
	return rule, r.close()
}
