package gnocchi

import (
	"encoding/base64"
	"strings"

	"github.com/telemetrydb/tsdb/engine"
)

// adminUser may do everything.
const adminUser = "admin"

// basicUser gives the user of an Authorization header of the scheme Basic, "" if there is none.
func basicUser(header string) string {
	scheme, rest, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "basic") {
		return ""
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return ""
	}
	user, _, ok := strings.Cut(string(b), ":")
	if !ok {
		return ""
	}
	return strings.ToValidUTF8(user, "\uFFFD")
}

func (c *call) isAdmin() bool { return c.user == adminUser }

// needAdmin refuses everybody else.
func (c *call) needAdmin() error {
	if !c.isAdmin() {
		return forbidden()
	}
	return nil
}

// needCreator refuses all but admin and the one who created the thing.
func (c *call) needCreator(creator *string) error {
	if c.isAdmin() || creator != nil && *creator == c.user {
		return nil
	}
	return forbidden()
}

// needBatchCreator is needCreator for the metric of a reference.
func (c *call) needBatchCreator(ref engine.Ref) error {
	if c.isAdmin() {
		return nil
	}
	m, err := c.db.MetricByRef(ref)
	if err != nil {
		return err
	}
	return c.needCreator(m.Creator)
}

// createdBy splits a creator into the two members that objects show for it.
func createdBy(creator *string) (user, project any) {
	if creator == nil {
		return nil, nil
	}
	u, p, _ := strings.Cut(*creator, ":")
	return u, p
}
