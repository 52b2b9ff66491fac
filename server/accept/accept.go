// Package accept reads Accept headers (RFC 9110, section 12.5.1): the most specific of the media ranges that a type is in decides, and what
// cannot be read as a weight is no weight.
package accept

import (
	"strconv"
	"strings"
)

const jsonType = "application/json"

// JSON tells whether a client takes JSON, from the values of its Accept headers. One that does not say what it takes takes anything.
func JSON(values []string) bool {
	all := strings.Join(values, ",")
	return all == jsonType || all == "*/*" || strings.Trim(all, " \t,") == "" || Quality(all, jsonType) > 0
}

// Quality gives the weight, 0 to 1, that a header has for a media type in lower case; 0 if it refuses the type or says nothing of it.
func Quality(header, mediaType string) float64 {
	kind, _, _ := strings.Cut(mediaType, "/")
	specific, q := 0, 0.0
	for part := range strings.SplitSeq(header, ",") {
		media, params, _ := strings.Cut(part, ";")
		level := 0
		switch strings.ToLower(strings.TrimSpace(media)) {
		case mediaType:
			level = 3
		case kind + "/*":
			level = 2
		case "*/*", "*":
			level = 1
		}
		if level > specific {
			specific, q = level, weight(params)
		}
	}
	return q
}

// weight is the parameter q of a media range, 1 if it has none that can be read.
func weight(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && q >= 0 {
			return min(q, 1)
		}
		return 1
	}
	return 1
}
