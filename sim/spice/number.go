package spice

import "strconv"

// parseNumber reads a number with a SPICE scale suffix from the start of s
// (folded) and returns how many bytes belong to it; 0 says there is none. As in
// ngspice the letters after the digits are a scale (t g meg k m mil u n p f) and
// a unit that is ignored: "10kohm" is 1e4, "1f" 1e-15 and "1m" one thousandth.
//
// The scale "a" is refused by the callers through the last result: ngspice 39
// reads "1a" as 1, later versions as 1e-18.
func parseNumber(s string) (v float64, n int, ambiguous bool) {
	i, digits := 0, 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	for ; i < len(s) && isDigit(s[i]); i++ {
		digits++
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && isDigit(s[i]); i++ {
			digits++
		}
	}
	if digits == 0 {
		return 0, 0, false
	}
	if i < len(s) && s[i] == 'e' {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if j < len(s) && isDigit(s[j]) {
			for ; j < len(s) && isDigit(s[j]); j++ {
			}
			i = j
		}
	}
	v, _ = strconv.ParseFloat(s[:i], 64) // out of range gives ±Inf, which the callers refuse
	j := i
	for j < len(s) && isLetter(s[j]) {
		j++
	}
	if i < j {
		switch rest := s[i:j]; rest[0] {
		case 't':
			v *= 1e12
		case 'g':
			v *= 1e9
		case 'm':
			switch {
			case len(rest) >= 3 && rest[:3] == "meg":
				v *= 1e6
			case len(rest) >= 3 && rest[:3] == "mil":
				v *= 25.4e-6
			default:
				v /= 1e3
			}
		case 'k':
			v *= 1e3
		case 'u':
			v /= 1e6
		case 'n':
			v /= 1e9
		case 'p':
			v /= 1e12
		case 'f':
			v /= 1e15
		case 'a':
			ambiguous = rest == "a"
		}
	}
	return v, j, ambiguous
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }
