package events

import (
	"strconv"
	"strings"
)

// acceptsJSON tells whether a client takes JSON: the most specific media range that JSON is in decides. No range: it takes anything.
func acceptsJSON(accept []string) bool {
	none, best, ok := true, 0, false
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		media, params, _ := strings.Cut(part, ";")
		media = strings.ToLower(strings.TrimSpace(media))
		if media == "" {
			continue
		}
		none = false
		if s := map[string]int{"*": 1, "*/*": 1, "application/*": 2, "application/json": 3}[media]; s > best {
			best, ok = s, weight(params) > 0
		}
	}
	return none || ok
}

// weight is a media range's q, 1 if it has none that can be read.
func weight(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
				return q
			}
		}
	}
	return 1
}
