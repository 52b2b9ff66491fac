package gnocchi

import (
	"math"
	"strconv"
	"strings"
)

// parsePyFloat reads a number as Python's float() does: blanks around it, underscores between digits, "inf", "nan", any
// case; too large is infinity.
func parsePyFloat(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, false
	}
	if c := s[len(s)-1]; c > '9' { // only words end in a letter
		return parseFloatWord(s)
	}
	if strings.IndexByte(s, '_') >= 0 {
		var ok bool
		if s, ok = dropUnderscores(s); !ok {
			return 0, false
		}
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '.', c == 'e', c == 'E', c == '+', c == '-':
		default:
			return 0, false // hexadecimal and other spellings that only Go knows
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || math.IsInf(f, 0)
}

func parseFloatWord(s string) (float64, bool) {
	sign, word := 1, s
	switch s[0] {
	case '+':
		word = s[1:]
	case '-':
		sign, word = -1, s[1:]
	}
	switch strings.ToLower(word) {
	case "inf", "infinity":
		return math.Inf(sign), true
	case "nan":
		return math.NaN(), true
	}
	return 0, false
}

func dropUnderscores(s string) (string, bool) {
	digit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	for i := range len(s) {
		if s[i] == '_' && !(digit(i-1) && digit(i+1)) {
			return "", false
		}
	}
	return strings.ReplaceAll(s, "_", ""), true
}

var pow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
	1e19, 1e20, 1e21, 1e22}

// parseJSONNumber reads a number by JSON's grammar, or the bare word NaN, correctly rounded. It refuses numbers beyond
// the range of float64.
func parseJSONNumber(raw []byte) (float64, bool) {
	if string(raw) == "NaN" {
		return math.NaN(), true
	}
	i, neg := 0, false
	if len(raw) > 0 && raw[0] == '-' {
		i, neg = 1, true
	}
	first := i
	var mant uint64
	for ; i < len(raw) && isDigit(raw[i]); i++ {
		mant = mant*10 + uint64(raw[i]-'0')
	}
	digits := i - first
	if digits == 0 || digits > 1 && raw[first] == '0' {
		return 0, false
	}
	frac := 0
	if i < len(raw) && raw[i] == '.' {
		dot := i
		for i++; i < len(raw) && isDigit(raw[i]); i++ {
			mant = mant*10 + uint64(raw[i]-'0')
		}
		frac = i - dot - 1
		if frac == 0 {
			return 0, false
		}
	}
	// Up to 2^53 over a power of ten that is exact: one division, so it is rounded once. Eighteen digits cannot overflow mant.
	if i == len(raw) && digits+frac <= 18 && mant < 1<<53 {
		f := float64(mant)
		if frac > 0 {
			f /= pow10[frac]
		}
		if neg {
			f = -f
		}
		return f, true
	}
	if i < len(raw) && !isExponent(raw[i:]) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	return f, err == nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isExponent tells whether s is e, an optional sign, and digits.
func isExponent(s []byte) bool {
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	for _, c := range s {
		if !isDigit(c) {
			return false
		}
	}
	return len(s) > 0
}

// appendPyFloat appends f as Python's repr writes it: the shortest digits that read back as f, always with a point or an
// exponent, the exponent from 1e16 up and below 1e-4. NaN and infinities are the words Python's JSON has for them.
func appendPyFloat(dst []byte, f float64) []byte {
	abs := math.Abs(f)
	if abs < 1e15 {
		// Decimals of up to 15 digits are distinct doubles, so a short one that reads back is the shortest. Most
		// values have at most three places.
		if n := int64(f); float64(n) == f {
			if n == 0 && math.Signbit(f) {
				return append(dst, "-0.0"...)
			}
			return append(strconv.AppendInt(dst, n, 10), '.', '0')
		}
		if abs >= 1e-3 && abs < 1e12 {
			for places := 1; places <= 3; places++ {
				if n := math.RoundToEven(abs * pow10[places]); n/pow10[places] == abs {
					return appendDecimal(dst, f < 0, uint64(n), places)
				}
			}
		}
	}
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case abs >= 1e16 || abs < 1e-4:
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[n:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, '.', '0')
}

// appendDecimal appends n over 10^places, which has at least one digit before the point.
func appendDecimal(dst []byte, neg bool, n uint64, places int) []byte {
	if neg {
		dst = append(dst, '-')
	}
	unit := uint64(pow10[places])
	dst = strconv.AppendUint(dst, n/unit, 10)
	dst = append(dst, '.')
	rest := n % unit
	for unit /= 10; unit > 0; unit /= 10 {
		dst = append(dst, '0'+byte(rest/unit%10))
	}
	return dst
}
