package simplequery

import (
	"errors"
	"strconv"
	"strings"
)

// ParseInt reads the integer that an argument or field by that name has.
func ParseInt(name, value string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if errors.Is(err, strconv.ErrRange) { // an end of the range is as good: nothing that is counted reaches it
		return n, nil
	}
	if err != nil {
		return 0, Invalid(name, value, "unable to convert to int. Error: invalid literal for int() with base 10: '"+value+"'")
	}
	return n, nil
}

// Truth reads a boolean as all of OpenStack does: ok is false if the value is none.
func Truth(value string) (truth, ok bool) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "1", "t", "true", "on", "y", "yes":
		return true, true
	case "0", "f", "false", "off", "n", "no":
		return false, true
	}
	return false, false
}
