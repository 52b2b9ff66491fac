package gnocchi

import (
	"net/http"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/valyala/fastjson"
)

func ruleObject(r engine.Rule) object {
	return object{{"name", r.Name}, {"archive_policy_name", r.Policy}, {"metric_pattern", r.Pattern}}
}

func (c *call) listRules() error {
	if err := c.may(auth.ListArchivePolicyRule, nil); err != nil {
		return err
	}
	all := c.db.Rules()
	return c.list(len(all), func(dst []byte, i int) []byte { return appendJSON(dst, ruleObject(all[i])) })
}

func (c *call) getRule() error {
	r, err := c.db.Rule(c.id)
	if err != nil {
		return err
	}
	target := auth.Fields{"name": r.Name, "archive_policy_name": r.Policy, "metric_pattern": r.Pattern}
	if err := c.may(auth.GetArchivePolicyRule, target); err != nil {
		return err
	}
	return c.json(http.StatusOK, ruleObject(r))
}

func (c *call) postRule() error {
	if err := c.may(auth.CreateArchivePolicyRule, nil); err != nil {
		return err
	}
	v, err := c.decode()
	if err != nil {
		return err
	}
	r, err := parseRule(v)
	if err != nil {
		return err
	}
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error { return tx.CreateRule(r) })
	if isKind(err, engine.ErrNotFound, engine.KindArchivePolicy) {
		return badRequest(object{{"cause", "Archive policy does not exist"}, {"detail", r.Policy}})
	}
	if err != nil {
		return err
	}
	return c.created("/v1/archive_policy_rule/"+r.Name, ruleObject(r))
}

func (c *call) patchRule() error {
	r, err := c.db.Rule(c.id)
	if err != nil {
		return err
	}
	if err := c.may(auth.UpdateArchivePolicyRule, nil); err != nil {
		return err
	}
	v, err := c.decode()
	if err != nil {
		return err
	}
	names := map[string]*string{"name": new(string)}
	if err := parseStrings(v, names); err != nil {
		return err
	}
	if *names["name"] == c.id {
		return c.json(http.StatusOK, ruleObject(r))
	}
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) (err error) {
		r, err = tx.RenameRule(c.id, *names["name"])
		return err
	})
	if isKind(err, engine.ErrExists, engine.KindRule) {
		return badRequest("Archive policy rule " + c.id + " does not support change: " + statusOf(err).desc.(string) + ".")
	}
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, ruleObject(r))
}

func (c *call) deleteRule() error {
	if _, err := c.db.Rule(c.id); err != nil {
		return err
	}
	if err := c.may(auth.DeleteArchivePolicyRule, nil); err != nil {
		return err
	}
	err := c.db.Update(c.r.Context(), func(tx *engine.Tx) error { return tx.DeleteRule(c.id) })
	if err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

func parseRule(v *fastjson.Value) (engine.Rule, error) {
	var r engine.Rule
	err := parseStrings(v, map[string]*string{
		"name": &r.Name, "metric_pattern": &r.Pattern, "archive_policy_name": &r.Policy,
	})
	return r, err
}

// parseStrings reads an object that has to have just these members, all of them names.
func parseStrings(v *fastjson.Value, into map[string]*string) error {
	members, err := asObject(v, nil)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, m := range members {
		here := (*at)(nil).member(m.key)
		dst, ok := into[m.key]
		if !ok {
			return extraKey(here)
		}
		if *dst, err = asString(m.value, here, maxName); err != nil {
			return err
		}
		seen[m.key] = true
	}
	for _, key := range []string{"name", "metric_pattern", "archive_policy_name"} {
		if _, ok := into[key]; ok && !seen[key] {
			return missingKey((*at)(nil).member(key))
		}
	}
	return nil
}
