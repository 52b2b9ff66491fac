package gnocchi

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
	"github.com/telemetrydb/tsdb/server/auth"
)

// maxName is the most characters a name has.
const maxName = 255

// defaultMethods are what a policy computes that does not say.
var defaultMethods = []rollup.Method{rollup.Mean, rollup.Min, rollup.Max, rollup.Sum, rollup.Std, rollup.Count}

// policyObject is a policy as clients see it.
func policyObject(p engine.ArchivePolicy) object {
	definition := make([]object, len(p.Definition))
	for i, g := range p.Definition {
		item := object{{"timespan", nil}, {"granularity", pyTimedelta(g.Width)}, {"points", nil}}
		if g.Points > 0 {
			item[0].value, item[2].value = pyTimedelta(g.Timespan), g.Points
		}
		definition[i] = item
	}
	methods := make([]string, len(p.Methods))
	for i, m := range p.Methods {
		methods[i] = m.String()
	}
	o := object{
		{"name", p.Name},
		{"back_window", p.BackWindow},
		{"definition", definition},
		{"aggregation_methods", methods},
	}
	switch {
	case p.Raw == engine.RawForever:
		o = append(o, member{"raw_timespan", nil})
	case p.Raw > 0:
		o = append(o, member{"raw_timespan", pyTimedelta(p.Raw)})
	}
	if p.KeepAll {
		o = append(o, member{"keep_all", true})
	}
	return o
}

func (c *call) listPolicies() error {
	if err := c.may(auth.ListArchivePolicy, nil); err != nil {
		return err
	}
	all := c.db.ArchivePolicies()
	return c.list(len(all), func(dst []byte, i int) []byte { return appendJSON(dst, policyObject(all[i])) })
}

func (c *call) getPolicy() error {
	p, err := c.db.ArchivePolicy(c.id)
	if err != nil {
		return err
	}
	if err := c.may(auth.GetArchivePolicy, policyTarget(p)); err != nil {
		return err
	}
	return c.json(http.StatusOK, policyObject(p))
}

func (c *call) postPolicy() error {
	if err := c.may(auth.CreateArchivePolicy, nil); err != nil {
		return err
	}
	v, err := c.decode()
	if err != nil {
		return err
	}
	p, err := parsePolicy(v)
	if err != nil {
		return err
	}
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error { return tx.CreateArchivePolicy(p) })
	if err != nil {
		return err
	}
	return c.created("/v1/archive_policy/"+p.Name, policyObject(p))
}

func (c *call) patchPolicy() error {
	old, err := c.db.ArchivePolicy(c.id)
	if err != nil {
		return err
	}
	if err := c.may(auth.UpdateArchivePolicy, policyTarget(old)); err != nil {
		return err
	}
	v, err := c.decode()
	if err != nil {
		return err
	}
	change, err := parsePolicyChange(v)
	if err != nil {
		return err
	}
	var p engine.ArchivePolicy
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error {
		old, err := tx.ArchivePolicy(c.id)
		if err != nil {
			return err
		}
		if err := sameWidths(old, change.definition); err != nil {
			return err
		}
		p, err = tx.UpdateArchivePolicy(c.id, change.definition, change.backWindow)
		return err
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, policyObject(p))
}

func (c *call) deletePolicy() error {
	if err := c.may(auth.DeleteArchivePolicy, nil); err != nil {
		return err
	}
	err := c.db.Update(c.r.Context(), func(tx *engine.Tx) error { return tx.DeleteArchivePolicy(c.id) })
	if err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

// policyTarget is a policy as rules see it.
func policyTarget(p engine.ArchivePolicy) auth.Target {
	return auth.Fields{"name": p.Name, "back_window": strconv.FormatInt(int64(p.BackWindow), 10)}
}

// sameWidths refuses a definition with other granularities than the policy has.
func sameWidths(old engine.ArchivePolicy, definition []engine.Granularity) error {
	refuse := func(detail string) error {
		return &engine.Error{Kind: engine.KindArchivePolicy, Name: old.Name, Err: engine.ErrUnsupported, Detail: detail}
	}
	if len(old.Definition) != len(definition) {
		return refuse("Cannot add or drop granularities")
	}
	now, then := widths(old.Definition), widths(definition)
	for i, w := range now {
		if then[i] != w {
			return refuse(spanSecondsText(w) + " granularity interval was changed")
		}
	}
	return nil
}

func widths(definition []engine.Granularity) []time.Duration {
	ws := make([]time.Duration, len(definition))
	for i, g := range definition {
		ws[i] = g.Width
	}
	slices.Sort(ws)
	return ws
}
