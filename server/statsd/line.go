package statsd

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Reasons for refusing a line.
var (
	errForm     = errors.New("form")     // not NAME:VALUE|TYPE
	errValue    = errors.New("value")    // no number
	errSampling = errors.New("sampling") // not @RATE above 0, or not of a counter
	errType     = errors.New("type")     // neither c nor g nor ms
	errName     = errors.New("name")     // empty, too long, or no UTF-8
	errMany     = errors.New("too many metrics")
)

// line is one value in a datagram.
type line struct {
	metric string // NAME|TYPE, with "_" for every "/"
	value  float64
	count  bool // add it to what there is
}

const maxName = 255 // characters of a metric's name

// parse reads a line.
func parse(s string) (line, error) {
	parts := strings.Split(s, "|")
	if len(parts) != 2 && len(parts) != 3 {
		return line{}, errForm
	}
	name, number, ok := strings.Cut(parts[0], ":")
	if !ok || strings.Contains(number, ":") {
		return line{}, errForm
	}
	if name == "" || !utf8.ValidString(name) {
		return line{}, errName
	}
	value, err := float(number)
	if err != nil {
		return line{}, errValue
	}
	l := line{metric: strings.ReplaceAll(name, "/", "_") + "|" + parts[1], value: value}
	switch kind := parts[1]; {
	case kind != "c" && kind != "g" && kind != "ms":
		return line{}, errType
	case kind == "c":
		l.count = true
		if len(parts) == 3 {
			rate, err := sampling(parts[2])
			if err != nil {
				return line{}, err
			}
			l.value *= 1 / rate // in this order: the original's last digit
		}
	case len(parts) == 3:
		return line{}, errSampling
	}
	if utf8.RuneCountInString(l.metric) > maxName {
		return line{}, errName
	}
	return l, nil
}

func sampling(s string) (float64, error) {
	if s == "" || s[0] != '@' {
		return 0, errSampling
	}
	rate, err := float(s[1:])
	if err != nil || !(rate > 0) {
		return 0, errSampling
	}
	return rate, nil
}

// float reads a decimal number; one that is too large is infinite.
func float(s string) (float64, error) {
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, "xX_pP") {
		return 0, errValue
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, errValue
	}
	return v, nil
}
