package gnocchi

import (
	"html"
	"net/http"
	"strconv"
	"strings"
)

// explanations are the fixed sentences of error bodies for people.
var explanations = map[int]string{
	http.StatusBadRequest:            "The request was malformed or asks for something that cannot be done.",
	http.StatusUnauthorized:          "The request has to say who asks for it.",
	http.StatusForbidden:             "Access was denied to this resource.",
	http.StatusNotFound:              "The resource could not be found.",
	http.StatusMethodNotAllowed:      "The method is not allowed for this resource.",
	http.StatusNotAcceptable:         "There is no representation of a kind that the client accepts.",
	http.StatusConflict:              "The request conflicts with what is stored.",
	http.StatusPreconditionFailed:    "A precondition of the request does not hold.",
	http.StatusRequestEntityTooLarge: "The body of the request is too large.",
	http.StatusUnsupportedMediaType:  "The body of the request is of a kind that is not supported here.",
	http.StatusNotImplemented:        "The server cannot do this.",
	http.StatusServiceUnavailable:    "The server cannot do this now.",
	http.StatusInternalServerError:   "The server failed on this request. The fault is not the client's.",
}

// appendError appends the body of an error in the representation that the Accept header asks for and returns its
// content type.
func appendError(dst []byte, e *apiError, accept string) ([]byte, string) {
	phrase := http.StatusText(e.status)
	switch errorFormat(accept) {
	case formatJSON:
		return appendJSON(dst, object{{"code", e.status}, {"title", phrase}, {"description", e.desc}}), "application/json"
	case formatHTML:
		dst = append(dst, "<html>\n <head>\n  <title>"...)
		dst = append(strconv.AppendInt(dst, int64(e.status), 10), " "+phrase+"</title>\n </head>\n <body>\n  <h1>"...)
		dst = append(strconv.AppendInt(dst, int64(e.status), 10), " "+phrase+"</h1>\n  "...)
		dst = append(dst, html.EscapeString(explanations[e.status])...)
		dst = append(dst, "<br /><br />\n"...)
		dst = appendEntities(dst, html.EscapeString(detailText(e.desc)))
		return append(dst, "\n </body>\n</html>"...), "text/html; charset=UTF-8"
	}
	dst = append(strconv.AppendInt(dst, int64(e.status), 10), " "+phrase+"\n\n"...)
	dst = append(dst, explanations[e.status]+"\n"...)
	if detail := detailText(e.desc); detail != "" {
		dst = append(dst, "\n "+detail+"\n"...)
	}
	return dst, "text/plain; charset=UTF-8"
}

// detailText is a description for people: text as it is, an object as Python prints it.
func detailText(desc any) string {
	switch d := desc.(type) {
	case nil:
		return ""
	case string:
		return d
	}
	return string(appendPython(nil, desc))
}

func appendEntities(dst []byte, s string) []byte {
	for _, r := range s {
		if r < 0x80 {
			dst = append(dst, byte(r))
			continue
		}
		dst = append(strconv.AppendInt(append(dst, "&#"...), int64(r), 10), ';')
	}
	return dst
}

// The representations of an error, the earlier preferred when a client likes them equally.
const (
	formatHTML = iota
	formatPlain
	formatJSON
)

var formats = [...]string{formatHTML: "text/html", formatPlain: "text/plain", formatJSON: "application/json"}

// errorFormat picks the representation of an error. Those who do not say what they take get plain text.
func errorFormat(accept string) int {
	if accept == "application/json" { // what clients send
		return formatJSON
	}
	best, bestQ := formatPlain, 0.0
	for i, f := range formats {
		if q := quality(accept, f); q > bestQ {
			best, bestQ = i, q
		}
	}
	return best
}

// quality gives the weight an Accept header has for a media type, 0 if it refuses it, by the most specific of its
// ranges.
func quality(accept, mediaType string) float64 {
	q := 0.0
	kind, _, _ := strings.Cut(mediaType, "/")
	specific := 0
	for part := range strings.SplitSeq(accept, ",") {
		rng, params, _ := strings.Cut(part, ";")
		rng = strings.ToLower(strings.TrimSpace(rng))
		level := 0
		switch rng {
		case mediaType:
			level = 3
		case kind + "/*":
			level = 2
		case "*/*", "*":
			level = 1
		}
		if level > specific {
			specific, q = level, qValue(params)
		}
	}
	return q
}

func qValue(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0) {
			return 1
		}
		return min(q, 1)
	}
	return 1
}

// acceptsJSON tells whether the client takes the only representation there is of a success.
func acceptsJSON(accept string) bool {
	if accept == "" || accept == "application/json" || accept == "*/*" {
		return true
	}
	if strings.TrimSpace(accept) == "" {
		return true
	}
	return quality(accept, formats[formatJSON]) > 0
}
