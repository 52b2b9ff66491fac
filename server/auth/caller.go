package auth

import (
	"slices"
	"strings"

	"github.com/telemetrydb/tsdb/index"
)

// Target is what a rule is about. A nil Target has no attributes.
type Target interface {
	// Attribute gives an attribute by its name, such as creator or resource.project_id; not ok if it is not set.
	Attribute(name string) (value string, ok bool)
}

// Fields is a Target of known attributes.
type Fields map[string]string

// Attribute implements Target.
func (f Fields) Attribute(name string) (string, bool) {
	v, ok := f[name]
	return v, ok
}

// Caller is who sends a request. Empty members are not known.
type Caller struct {
	// User is what the caller's things have as their creator: a name, or the ids of user and project with a colon between.
	User string

	UserID, ProjectID, DomainID string
	Roles                       []string

	// Scoped callers see in lists what belongs to their project. The others see everything.
	Scoped bool

	policy *Policy
}

// Known tells whether there is a caller at all: some requests need none.
func (c *Caller) Known() bool { return c != nil && c.policy != nil }

// Can tells whether the caller may do to the target what the rule is about.
func (c *Caller) Can(rule Rule, target Target) bool {
	return c.Known() && c.policy.permits(rule, target, c)
}

func (c *Caller) hasRole(name string) bool {
	return slices.ContainsFunc(c.Roles, func(have string) bool { return strings.EqualFold(have, name) })
}

// knownOfCaller tells whether rules can compare by that name.
func knownOfCaller(name string) bool {
	switch name {
	case "user", "user_id", "project_id", "tenant", "domain_id", "roles", "system":
		return true
	}
	return false
}

// is tells whether the caller has the value by that name. What is not known of them is not equal to anything.
func (c *Caller) is(name, value string) bool {
	have := ""
	switch name {
	case "user":
		have = c.User
	case "user_id":
		have = c.UserID
	case "project_id", "tenant":
		have = c.ProjectID
	case "domain_id":
		have = c.DomainID
	case "roles":
		return slices.Contains(c.Roles, value)
	case "system":
		if !c.Scoped {
			have = "all"
		}
	}
	return have != "" && have == value
}

// ResourceFilter gives the condition that resources have to meet to be among those that the caller may see, or delete, by a rule
// for lists. A nil filter lets everything pass. ErrForbidden: nothing can pass.
func (c *Caller) ResourceFilter(rule Rule, resourceType string) (*index.Filter, error) {
	if !c.Known() {
		return nil, ErrForbidden
	}
	if !c.Scoped || c.Can(rule, Fields{"resource_type": resourceType}) {
		return nil, nil
	}
	f := c.projectFilter(rule, Fields{"resource_type": resourceType}, "")
	if len(f.Subs) == 0 {
		return nil, ErrForbidden
	}
	return f, nil
}

// MetricFilter gives the conditions of which a metric has to meet one to be in a list: own, on the metric itself, or that on the
// resource it belongs to; either may select nothing. Both nil: every metric passes. ErrForbidden: none can.
func (c *Caller) MetricFilter(rule Rule) (own, ofResource *index.Filter, err error) {
	if !c.Known() {
		return nil, nil, ErrForbidden
	}
	if !c.Scoped || c.Can(rule, nil) {
		return nil, nil, nil
	}
	own = &index.Filter{Op: index.Or}
	if c.ProjectID != "" && c.Can(rule, Fields{"created_by_project_id": c.ProjectID}) {
		own.Subs = append(own.Subs, c.createdByProject())
	}
	ofResource = c.projectFilter(rule, nil, "resource.")
	if len(own.Subs)+len(ofResource.Subs) == 0 {
		return nil, nil, ErrForbidden
	}
	return own, ofResource, nil
}

// projectFilter selects the resources that the caller's project owns, and those that its users created, as far as the rule lets
// it: it is asked about targets of which nothing else is known. prefix is before the names of the targets' attributes.
func (c *Caller) projectFilter(rule Rule, target Fields, prefix string) *index.Filter {
	f := &index.Filter{Op: index.Or}
	if c.ProjectID == "" {
		return f
	}
	permitted := func(name string) bool {
		t := Fields{prefix + name: c.ProjectID}
		for k, v := range target {
			t[prefix+k] = v
		}
		return c.Can(rule, t)
	}
	if permitted("project_id") {
		f.Subs = append(f.Subs, &index.Filter{Op: index.Eq, Field: "project_id",
			Value: index.Value{Kind: index.Bytes, Str: c.ProjectID}})
	}
	if permitted("created_by_project_id") {
		f.Subs = append(f.Subs, c.createdByProject())
	}
	return f
}

// createdByProject selects what users of the caller's project created.
func (c *Caller) createdByProject() *index.Filter {
	escaped := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(c.ProjectID)
	return &index.Filter{Op: index.Like, Field: "creator", Value: index.Value{Kind: index.Bytes, Str: "%:" + escaped}}
}
