package gnocchi

import (
	"net/url"
)

// args gives the parameters of the query string; what cannot be decoded of it is left out.
func (c *call) args() url.Values {
	v, _ := url.ParseQuery(c.r.URL.RawQuery)
	return v
}

// boolArg reads a truth value from the query string.
func (c *call) boolArg(name string, otherwise bool) (bool, error) {
	if c.r.URL.RawQuery == "" {
		return otherwise, nil
	}
	v, ok := c.args()[name]
	if !ok {
		return otherwise, nil
	}
	return parsePyBool(name, v[len(v)-1])
}

// timeArg reads a time in nanoseconds since the epoch from the query string.
func (c *call) timeArg(args url.Values, name string, otherwise int64) (int64, error) {
	v, ok := args[name]
	if !ok {
		return otherwise, nil
	}
	t, _, err := parseTimestamp(v[len(v)-1], c.o.Now)
	if err != nil || len(v) > 1 {
		return 0, argumentError(name, "Must be a datetime or a timestamp")
	}
	return t, nil
}
