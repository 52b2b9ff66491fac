package auth

import (
	"strings"
	"testing"
)

// caller has the default policy unless it is given another.
func caller(c Caller, p *Policy) *Caller {
	if p == nil {
		p = DefaultPolicy()
	}
	c.policy = p
	return &c
}

// who are those that the tests below ask for.
var who = map[string]Caller{
	"admin":    {User: "a:pa", UserID: "a", ProjectID: "pa", Roles: []string{"member", "Admin"}, Scoped: true},
	"service":  {User: "s:ps", UserID: "s", ProjectID: "ps", Roles: []string{"service"}, Scoped: true},
	"creator":  {User: "c:pc", UserID: "c", ProjectID: "pc", Roles: []string{"member"}, Scoped: true},
	"mate":     {User: "m:pc", UserID: "m", ProjectID: "pc", Roles: []string{"member"}, Scoped: true},
	"owner":    {User: "o:po", UserID: "o", ProjectID: "po", Roles: []string{"member"}, Scoped: true},
	"stranger": {User: "x:px", UserID: "x", ProjectID: "px", Roles: []string{"member"}, Scoped: true},
	"unscoped": {User: "u:", UserID: "u", Scoped: true},
}

// TestDefaults asks every rule for every kind of caller, about a thing that creator made for the project of owner.
func TestDefaults(t *testing.T) {
	const everybody = "admin service creator mate owner stranger unscoped"
	target := Fields{"creator": "c:pc", "created_by_user_id": "c", "created_by_project_id": "pc",
		"project_id": "po", "resource.project_id": "po"}
	want := map[Rule]string{
		GetStatus:          "admin",
		CreateResource:     everybody,
		GetResource:        "admin creator mate owner",
		UpdateResource:     "admin service creator mate",
		DeleteResource:     "admin creator mate",
		DeleteResources:    "admin creator mate",
		ListResource:       "admin creator mate owner",
		SearchResource:     "admin service creator mate owner",
		CreateResourceType: "admin service", UpdateResourceType: "admin service", DeleteResourceType: "admin",
		GetResourceType: everybody, ListResourceType: everybody,
		CreateArchivePolicy: "admin service", UpdateArchivePolicy: "admin", DeleteArchivePolicy: "admin",
		GetArchivePolicy: everybody, ListArchivePolicy: everybody,
		CreateArchivePolicyRule: "admin", UpdateArchivePolicyRule: "admin", DeleteArchivePolicyRule: "admin",
		GetArchivePolicyRule: everybody, ListArchivePolicyRule: everybody,
		CreateMetric: everybody,
		GetMetric:    "admin service creator mate owner",
		UpdateMetric: "admin creator mate",
		DeleteMetric: "admin creator mate",
		ListMetric:   "admin creator mate owner",
		SearchMetric: "admin creator mate owner",
		GetMeasures:  "admin service creator mate owner",
		PostMeasures: "admin service creator mate",
	}
	for rule := range defaults {
		if strings.ContainsRune(string(rule), ' ') && want[rule] == "" {
			t.Errorf("%q is not tested", rule)
		}
	}
	for rule, names := range want {
		for name, c := range who {
			permitted := false
			for n := range strings.FieldsSeq(names) {
				permitted = permitted || n == name
			}
			if got := caller(c, nil).Can(rule, target); got != permitted {
				t.Errorf("%s: %s: %v", rule, name, got)
			}
		}
	}
}

// TestMissing has things that nobody created or owns: those whose project is not known do not get them for that.
func TestMissing(t *testing.T) {
	for name, c := range who {
		for _, target := range []Target{nil, Fields{}, Fields{"project_id": "", "created_by_project_id": ""}} {
			if got := caller(c, nil).Can(GetResource, target); got != (name == "admin") {
				t.Errorf("%s: %v", name, got)
			}
		}
	}
	var nobody *Caller
	if nobody.Can(CreateResource, nil) || (&Caller{Roles: []string{"admin"}}).Can(GetStatus, nil) {
		t.Error("a caller that no gate let in may do something")
	}
}

func TestExpressions(t *testing.T) {
	c := Caller{User: "u:p", UserID: "u", ProjectID: "p", DomainID: "d", Roles: []string{"Reader", "dev"}, Scoped: true}
	target := Fields{"a": "p", "b": "", "role": "DEV", "flag": "True", "long.name": "Member", "n": "7"}
	for rule, want := range map[string]bool{
		"": true, "@": true, "!": false, " @ ": true, "(@)": true, "((@))": true, "( @ )": true,
		"not @": false, "not !": true, "not not @": true, "not (@ and !)": true, "NOT @": false,
		"@ or ! and !": true, "! and ! or @": true, "! and (! or @)": false, "(@ or !) and !": false, "@ And @": true, "! OR @": true,
		"not ! and !": false, "not (! and !)": true, "not @ or @": true,
		"role:reader": true, "role:READER": true, "role:admin": false, "role:%(role)s": true, "role:%(nothing)s": false, "role:": false,
		"roles:dev": true, "roles:DEV": false,
		"project_id:%(a)s": true, "tenant:%(a)s": true, "project_id:p": true, "project_id:%(b)s": false, "project_id:%(c)s": false, "not project_id:%(c)s": true,
		"user_id:u": true, "domain_id:d": true, "user:u:%(a)s": true, "user:%(a)s:%(a)s": false, "system:all": false,
		"True:%(flag)s": true, "False:%(flag)s": false, "'Member':%(long.name)s": true, `"Member":%(long.name)s`: true,
		"7:%(n)s": true, "8:%(n)s": false, "None:%(c)s": false, "'100%':100%%": true, "'':": true,
		"(role:dev or role:x) and project_id:%(a)s": true, "(role:dev) and (not (project_id:%(a)s))": false,
	} {
		e, err := parseRule(rule)
		if err != nil {
			t.Errorf("%q: %v", rule, err)
			continue
		}
		if got := e.holds(&env{caller: &c, target: target}); got != want {
			t.Errorf("%q: %v", rule, got)
		}
	}
	deep := strings.Repeat("(", maxDepth+1) + "@" + strings.Repeat(")", maxDepth+1)
	for _, rule := range []string{"and", "@ and", "or @", "@ @", "not", "(", ")", "(@", "@)", "()", "@ and or @", "admin", ":x", "http://x/%(a)s",
		"role:%(a", "role:%(a)d", "role:%", "role:%s", "role:%()s", "nothing:x", "'x:y", deep, strings.Repeat("not ", maxDepth+2) + "@"} {
		if e, err := parseRule(rule); err == nil {
			t.Errorf("%q: %v, want an error", rule, e)
		}
	}
}

func TestParsePolicy(t *testing.T) {
	p, err := ParsePolicy([]byte(`
# who may look after things
"operator": "role:operator or rule:context_is_admin"
"get status": "rule:operator"   # and not only admin
delete resource: "!"
"create metric": ["role:dev", ["role:member", "project_id:pc"]]
create resource: []
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		rule  Rule
		roles string
		want  bool
	}{
		{GetStatus, "operator", true}, {GetStatus, "admin", true}, {GetStatus, "member", false},
		{DeleteResource, "admin", false}, {CreateResource, "", true},
		{CreateMetric, "dev", true}, {CreateMetric, "member", true}, {CreateMetric, "admin", false},
		{PostMeasures, "admin", true},
		{"no such rule", "admin", false},
	} {
		c := caller(Caller{ProjectID: "pc", Roles: strings.Fields(tc.roles), Scoped: true}, p)
		if got := c.Can(tc.rule, nil); got != tc.want {
			t.Errorf("%s for %s: %v", tc.rule, tc.roles, got)
		}
	}
	if p, err = ParsePolicy([]byte(`{"get status": "role:json"}`)); err != nil || !caller(Caller{Roles: []string{"json"}}, p).Can(GetStatus, nil) {
		t.Errorf("JSON: %v", err)
	}
	for file, want := range map[string]string{
		`[1]`: "no object", `"get status`: "no object", `get status: 3`: "is no rule", `get status:`: "nothing is no rule",
		`get status: "rule:operator"`:                    `refers to "operator", which does not exist`,
		`get statsu: "role:admin"`:                       `"get statsu" is not known`,
		"creator: \"rule:admin_or_creator\"":             "refers back",
		"a: \"rule:a\"\nget status: \"rule:a\"":          "refers back",
		`get status: "role:admin and"`:                   "missing at the end",
		`get status: [["role:a"], 3]`:                    "is no check",
		`get status: [[3]]`:                              "is no check",
		"get status: \"@\"\nget status: \"!\"":           "already defined",
		"get status: \"role:\\u0000\"\nx: \"role:a or\"": "missing at the end",
	} {
		if _, err := ParsePolicy([]byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", file, err, want)
		}
	}
}

func FuzzParseRule(f *testing.F) {
	for _, rule := range defaults {
		f.Add(rule)
	}
	f.Add("not (role:a or 'x':%(y)s%%) and (@)")
	c := caller(Caller{User: "u:p", ProjectID: "p", Roles: []string{"a"}}, nil)
	f.Fuzz(func(t *testing.T, rule string) {
		e, err := parseRule(rule)
		if err != nil {
			return
		}
		env := &env{caller: c, target: Fields{"y": "x"}, rules: c.policy.rules}
		for _, ref := range references(nil, e) {
			if c.policy.rules[ref] == nil {
				return // a policy with it is refused
			}
		}
		if e.holds(env) == (notExpr{e}).holds(env) {
			t.Errorf("%q and its negation agree", rule)
		}
	})
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte("a: \"rule:b\"\nb: [[\"role:c\"]]\nget status: \"rule:a\"\n"))
	f.Add([]byte(`{"get status": "role:x"}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		if p, err := ParsePolicy(file); err == nil {
			for rule := range defaults {
				caller(who["mate"], p).Can(rule, Fields{"creator": "x"})
			}
		}
	})
}
