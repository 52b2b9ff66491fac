package gnocchi

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// What can be wrong with a timespan, in the words of the API.
var (
	errBadTimespan     = errors.New("Unable to parse timespan")
	errNullTimespan    = errors.New("Invalid timespan")
	errNotPositiveSpan = errors.New("Timespan must be positive")
)

// A timespan's text is units in descending order, each optional, or one of the clock forms.
var (
	spanUnits = regexp.MustCompile(`^` +
		spanUnit("w|wks?|weeks?") + spanUnit("d|dys?|days?") + spanUnit("h|hrs?|hours?") +
		spanUnit("m|mins?|minutes?") + spanUnit("s|secs?|seconds?") + `$`)
	spanClock = regexp.MustCompile(`^` +
		spanUnit("w|wks?|weeks?") + spanUnit("d|dys?|days?") + `(\d+):(\d{2}):(\d{2}(?:\.\d+)?)$`)
	spanDays    = regexp.MustCompile(`^()(\d+):(\d{2}):(\d{2}):(\d{2}(?:\.\d+)?)$`)
	spanMinutes = regexp.MustCompile(`^()()()(\d{1,2}):(\d{2}(?:\.\d+)?)$`)
	spanSeconds = regexp.MustCompile(`^()()()():(\d{2}(?:\.\d+)?)$`)

	spanWeights = [5]float64{7 * 86400, 86400, 3600, 60, 1} // seconds in what the five groups of each of them hold
)

func spanUnit(names string) string { return `(?:(\d+\.?\d*|\.\d+)\s*(?:` + names + `))?\s*[,/]?\s*` }

// maxSpanText is longer than any timespan that means something; patterns need not be tried on a megabyte.
const maxSpanText = 256

// parseTimespan reads a timespan, in seconds or as text with units, and gives nanoseconds, which may be negative.
func parseTimespan(s string) (int64, bool) {
	if f, ok := parsePyFloat(s); ok {
		return spanNanos(f)
	}
	if len(s) > maxSpanText {
		return 0, false
	}
	s = strings.ToLower(strings.TrimSpace(s))
	sign := 1.0
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = strings.TrimSpace(s[1:])
	}
	for _, re := range []*regexp.Regexp{spanUnits, spanClock, spanDays, spanMinutes, spanSeconds} {
		if m := re.FindStringSubmatch(s); m != nil {
			secs, ok := sumUnits(m[1:])
			if !ok {
				return 0, false
			}
			return spanNanos(sign * secs)
		}
	}
	return 0, false
}

// sumUnits adds the units. As in the reference, a fraction in a unit longer than seconds makes their sum whole seconds.
func sumUnits(units []string) (secs float64, ok bool) {
	fraction := false
	for i, u := range units[:4] {
		if u == "" {
			continue
		}
		n, err := strconv.ParseFloat(u, 64)
		if err != nil {
			return 0, false
		}
		secs += n * spanWeights[i]
		ok, fraction = true, fraction || strings.Contains(u, ".")
	}
	last := units[4]
	if fraction && !strings.Contains(last, ".") {
		secs = math.Trunc(secs)
	}
	if last == "" {
		return secs, ok
	}
	n, err := strconv.ParseFloat(last, 64)
	return secs + n, err == nil
}

func spanNanos(secs float64) (int64, bool) {
	nanos := secs * 1e9
	if !(nanos > -math.MaxInt64 && nanos < math.MaxInt64) { // NaN is neither
		return 0, false
	}
	return int64(nanos), true
}

// positiveTimespan reads a timespan that has to be longer than nothing.
func positiveTimespan(s string) (int64, error) {
	nanos, ok := parseTimespan(s)
	switch {
	case !ok:
		return 0, errBadTimespan
	case nanos <= 0:
		return 0, errNotPositiveSpan
	}
	return nanos, nil
}

// jsonTimespan reads a positive timespan from a body: a number of seconds or text.
func jsonTimespan(v *fastjson.Value) (int64, error) {
	switch v.Type() {
	case fastjson.TypeNull:
		return 0, errNullTimespan
	case fastjson.TypeString:
		return positiveTimespan(text(v))
	}
	f, ok := jsonFloat(v)
	if !ok {
		return 0, errBadTimespan
	}
	nanos, ok := spanNanos(f)
	switch {
	case !ok:
		return 0, errBadTimespan
	case nanos <= 0:
		return 0, errNotPositiveSpan
	}
	return nanos, nil
}
