package gnocchi

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
	"github.com/valyala/fastjson"
)

// parsePolicy reads the body that creates a policy.
func parsePolicy(v *fastjson.Value) (engine.ArchivePolicy, error) {
	p := engine.ArchivePolicy{Methods: sortedMethods(defaultMethods)}
	members, err := asObject(v, nil)
	if err != nil {
		return p, err
	}
	seen := map[string]bool{}
	var items []definitionItem
	for _, m := range members {
		here := (*at)(nil).member(m.key)
		seen[m.key] = true
		switch m.key {
		case "name":
			p.Name, err = asString(m.value, here, maxName)
		case "definition":
			items, err = parseDefinition(m.value, here)
		case "back_window":
			p.BackWindow, err = asBackWindow(m.value, here)
		case "aggregation_methods":
			p.Methods, err = parseMethods(m.value, here)
		case "raw_timespan":
			p.Raw, err = asRawTimespan(m.value, here)
		case "keep_all":
			p.KeepAll, err = asBool(m.value, here)
		default:
			err = extraKey(here)
		}
		if err != nil {
			return p, err
		}
	}
	for _, key := range []string{"name", "definition"} {
		if !seen[key] {
			return p, missingKey((*at)(nil).member(key))
		}
	}
	p.Definition, err = completeDefinition(items)
	return p, err
}

// policyChange is what a PATCH asks for.
type policyChange struct {
	definition []engine.Granularity
	backWindow *int
}

func parsePolicyChange(v *fastjson.Value) (policyChange, error) {
	var ch policyChange
	members, err := asObject(v, nil)
	if err != nil {
		return ch, err
	}
	var items []definitionItem
	for _, m := range members {
		here := (*at)(nil).member(m.key)
		switch m.key {
		case "definition":
			items, err = parseDefinition(m.value, here)
		case "back_window":
			var n int
			n, err = asBackWindow(m.value, here)
			ch.backWindow = &n
		default:
			err = extraKey(here)
		}
		if err != nil {
			return ch, err
		}
	}
	if items == nil {
		return ch, missingKey((*at)(nil).member("definition"))
	}
	ch.definition, err = completeDefinition(items)
	return ch, err
}

// asBackWindow allows what fits comfortably in any arithmetic with it.
func asBackWindow(v *fastjson.Value, p *at) (int, error) {
	n, err := asInt(v, p, 0)
	if err == nil && n > math.MaxInt32 {
		err = invalid(fmt.Sprintf("value must be at most %d", math.MaxInt32), p)
	}
	return int(n), err
}

// asRawTimespan reads how long raw samples are kept: a timespan, or null for ever.
func asRawTimespan(v *fastjson.Value, p *at) (time.Duration, error) {
	if v.Type() == fastjson.TypeNull {
		return engine.RawForever, nil
	}
	nanos, err := jsonTimespan(v)
	if err != nil {
		return 0, invalid(err.Error(), p)
	}
	return time.Duration(nanos), nil
}

// definitionItem is an item of a definition as it was given; 0: not given.
type definitionItem struct{ width, points, span int64 }

func parseDefinition(v *fastjson.Value, p *at) ([]definitionItem, error) {
	list, err := asList(v, p)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, invalid("length of value must be at least 1", p)
	}
	items := make([]definitionItem, len(list))
	for i, v := range list {
		if items[i], err = parseDefinitionItem(v, p.item(i)); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func parseDefinitionItem(v *fastjson.Value, p *at) (definitionItem, error) {
	var d definitionItem
	members, err := asObject(v, p)
	if err != nil {
		return d, err
	}
	for _, m := range members {
		here := p.member(m.key)
		switch m.key {
		case "granularity":
			d.width, err = jsonTimespan(m.value)
		case "timespan":
			d.span, err = jsonTimespan(m.value)
		case "points":
			if d.points, err = asInt(m.value, here, 1); err != nil {
				return d, err
			}
		default:
			return d, extraKey(here)
		}
		if err != nil {
			return d, invalid(err.Error(), here)
		}
	}
	return d, nil
}

func completeDefinition(items []definitionItem) ([]engine.Granularity, error) {
	definition := make([]engine.Granularity, len(items))
	seen := map[time.Duration]bool{}
	for i, d := range items {
		g, err := d.complete()
		if err != nil {
			return nil, err
		}
		if seen[g.Width] {
			return nil, badRequest("More than one archive policy uses granularity `" + spanSecondsText(g.Width) + "'")
		}
		seen[g.Width] = true
		definition[i] = g
	}
	return definition, nil
}

// complete works out what was not given.
func (d definitionItem) complete() (engine.Granularity, error) {
	switch {
	case d.width > 0 && d.points > 0:
		span, ok := multiply(d.width, d.points)
		if !ok {
			return engine.Granularity{}, badRequest("granularity × points is too large")
		}
		if d.span > 0 && d.span != span {
			return engine.Granularity{}, badRequest("timespan ≠ granularity × points")
		}
		d.span = span
	case d.width > 0 && d.span > 0:
		if d.points = d.span / d.width; d.points <= 0 {
			return engine.Granularity{}, badRequest("Calculated number of points is < 0")
		}
		d.span = d.width * d.points
	case d.points > 0 && d.span > 0:
		if d.width = d.span / d.points; d.width <= 0 {
			return engine.Granularity{}, badRequest("Granularity should be > 0")
		}
		d.span = d.width * d.points
	case d.width > 0:
	default:
		return engine.Granularity{}, badRequest("At least two of granularity/points/timespan must be provided")
	}
	return engine.Granularity{Width: time.Duration(d.width), Points: d.points, Timespan: time.Duration(d.span)}, nil
}

func multiply(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return int64(lo), hi == 0 && lo < math.MaxInt64
}

// parseMethods reads the list of methods, with "*" for all and signs to add to or take from the default.
func parseMethods(v *fastjson.Value, p *at) ([]rollup.Method, error) {
	list, err := asList(v, p)
	if err != nil {
		return nil, err
	}
	var plain, add []rollup.Method
	drop := map[rollup.Method]bool{}
	all, signed := false, true
	for i, v := range list {
		name := ""
		if v.Type() == fastjson.TypeString {
			name = text(v)
		}
		if name == "*" {
			all = true
			continue
		}
		m, ok := rollup.ParseMethod(strings.TrimLeft(name, "+-"))
		if !ok || len(name)-len(strings.TrimLeft(name, "+-")) > 1 {
			return nil, invalid("not a valid value", p.item(i))
		}
		switch name[0] {
		case '+':
			add = append(add, m)
		case '-':
			drop[m] = true
		default:
			plain, signed = append(plain, m), false
		}
	}
	set := plain
	switch {
	case all:
		set = rollup.Methods()
	case signed:
		set = slices.Clone(defaultMethods)
	}
	set = append(set, add...)
	return sortedMethods(slices.DeleteFunc(set, func(m rollup.Method) bool { return drop[m] })), nil
}

func sortedMethods(ms []rollup.Method) []rollup.Method {
	ms = slices.Clone(ms)
	slices.Sort(ms)
	return slices.Compact(ms)
}
