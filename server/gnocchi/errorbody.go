package gnocchi

import (
	"html"
	"net/http"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/server/accept"
	"github.com/telemetrydb/tsdb/server/auth"
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
	http.StatusRequestTimeout:        "The request took too long to come.",
	http.StatusRequestEntityTooLarge: "The body of the request is too large.",
	http.StatusRequestURITooLong:     "The address of the request is too long.",
	http.StatusTooManyRequests:       "There are too many requests.",
	http.StatusUnsupportedMediaType:  "The body of the request is of a kind that is not supported here.",
	http.StatusNotImplemented:        "The server cannot do this.",
	http.StatusServiceUnavailable:    "The server cannot do this now.",
	http.StatusInternalServerError:   "The server failed on this request. The fault is not the client's.",
}

// WriteError answers a request with an error as this API represents them: a status from 400 up, a description that is text or
// empty, and a time after which to try again, 0: none is told. It is for what stands in front of the API or beside it.
func WriteError(w http.ResponseWriter, r *http.Request, status int, description string, retryAfter time.Duration) {
	e := &apiError{status: status, desc: description}
	if retryAfter > 0 {
		e.retry = wholeSeconds(retryAfter)
	}
	writeError(w, r, e)
}

// WriteErrorOf answers a request with the error that a gate, the database or limits gave, as this API represents it.
func WriteErrorOf(w http.ResponseWriter, r *http.Request, gate *auth.Gate, err error) {
	writeError(w, r, statusOfAny(gate, err))
}

func writeError(w http.ResponseWriter, r *http.Request, e *apiError) {
	header := w.Header()
	if e.allow != "" {
		header.Set("Allow", e.allow)
	}
	if e.retry > 0 {
		header.Set("Retry-After", strconv.Itoa(e.retry))
	}
	if e.challenge != "" {
		header.Set("WWW-Authenticate", e.challenge)
	}
	switch e.status {
	case http.StatusRequestEntityTooLarge, http.StatusRequestTimeout:
		header.Set("Connection", "close") // rather than read the rest of it
	case http.StatusNotModified:
		w.WriteHeader(e.status)
		return
	}
	buf := replies.Get().(*reply)
	defer buf.release()
	var contentType string
	buf.b, contentType = appendError(buf.b[:0], e, r.Header.Get("Accept"))
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(buf.b)))
	w.WriteHeader(e.status)
	w.Write(buf.b) // a client that is gone need not be told
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
func errorFormat(header string) int {
	if header == "application/json" { // what clients send
		return formatJSON
	}
	best, bestQ := formatPlain, 0.0
	for i, f := range formats {
		if q := accept.Quality(header, f); q > bestQ {
			best, bestQ = i, q
		}
	}
	return best
}
