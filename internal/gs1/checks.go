package gs1

import (
	"strconv"
	"strings"
)

// CheckValue checks the value of an application identifier: length, character set, check digit, and that dates, times
// and counts can be. It does not look up countries, currencies, IBANs, package types and coupon codes.
// It fails with AIUnknown, LengthWrong, CharsetWrong, ValueWrong or CheckDigitWrong.
func CheckValue(number, value string) error { return asError(checkValue(number, value)) }

func checkValue(number, value string) *Error {
	if a := aiNamed(number); a != nil {
		return a.check(number, value)
	}
	return unassigned(number)
}

func unassigned(number string) *Error {
	return fault(AIUnknown, number, "GS1 has not assigned this application identifier")
}

func (a *ai) check(number, value string) *Error {
	var soft *Error
	for _, text := range strings.Fields(a.format) {
		c := readComponent(text)
		if value == "" && c.optional {
			break
		}
		n := c.take(value)
		if n < 0 {
			return fault(LengthWrong, number, "the value is too short")
		}
		if !c.set.hasAll(value[:n]) {
			return fault(CharsetWrong, number, "a character is not allowed here")
		}
		if err := runCheck(c.check, number, value[:n]); err != nil {
			if err.Code != CheckDigitWrong {
				return err
			}
			soft = err
		}
		value = value[n:]
	}
	if value != "" {
		return fault(LengthWrong, number, "the value is too long")
	}
	return soft
}

// component is one part of a value.
type component struct {
	set      charset
	min, max int
	optional bool
	check    string
}

func readComponent(text string) component {
	text, check, _ := strings.Cut(text, ",")
	c := component{check: check}
	if text[0] == '[' {
		c.optional, text = true, text[1:len(text)-1]
	}
	c.set = charsetOf(text[0])
	length, varies := strings.CutPrefix(text[1:], "..")
	c.max, _ = strconv.Atoi(length)
	if c.min = c.max; varies {
		c.min = 1
	}
	return c
}

func charsetOf(t byte) charset {
	switch t {
	case 'N':
		return numeric
	case 'Y':
		return cset39
	case 'Z':
		return base64url
	}
	return cset82
}

// take is how much of value the component covers; -1 when there is not enough.
func (c component) take(value string) int {
	if len(value) < c.min {
		return -1
	}
	return min(len(value), c.max)
}

// runCheck makes the named check of a component whose length and characters are right.
func runCheck(name, part, v string) *Error {
	ok := true
	switch name {
	case "":
	case "csum":
		if !endsInCheckDigit(v) {
			return checkDigitFault(part, v)
		}
	case "prefix":
		return checkPrefix(part, v)
	case "csumalpha":
		if err := checkPrefix(part, v); err != nil {
			return err
		}
		if !endsInCheckPair(v) {
			return fault(CheckDigitWrong, part, "the two check characters do not match")
		}
	case "yymmdd":
		ok = isDate(2000+atoi(v[:2]), v[2:4], v[4:6], 1)
	case "yymmd0": // day 00 is the end of the month
		ok = isDate(2000+atoi(v[:2]), v[2:4], v[4:6], 0)
	case "yyyymmdd":
		ok = isDate(atoi(v[:4]), v[4:6], v[6:8], 1)
	case "hhmi":
		ok = atoi(v[:2]) < 24 && atoi(v[2:]) < 60
	case "hh":
		ok = atoi(v) < 24
	case "mi", "ss":
		ok = atoi(v) < 60
	case "zero":
		ok = atoi(v) == 0
	case "nonzero":
		ok = atoi(v) != 0
	case "yesno":
		ok = v == "0" || v == "1"
	case "nozeroprefix":
		ok = v == "0" || v[0] != '0'
	case "pieceoftotal":
		ok = v[:2] != "00" && v[2:] != "00" && v[:2] <= v[2:]
	}
	if !ok {
		return fault(ValueWrong, part, "the value is not possible")
	}
	return nil
}

// checkPrefix looks for a company prefix at the start of a value without fixed digits.
func checkPrefix(part, v string) *Error {
	if len(v) < minPrefix || !allDigits(v[:minPrefix]) {
		return fault(PrefixWrong, part, "the value does not start with a company prefix")
	}
	return nil
}

// atoi is for a few characters known to be digits.
func atoi(digits string) int {
	n := 0
	for i := 0; i < len(digits); i++ {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

// isDate checks a date of the Gregorian calendar. In a century that is left open 00 is a leap year, as 2000 was.
func isDate(year int, month, day string, firstDay int) bool {
	m, d := atoi(month), atoi(day)
	if m < 1 || m > 12 || d < firstDay {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m-1]
	if m == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days = 29
	}
	return d <= days
}

// endsInCheckPair checks the two check characters of a GMN (General Specifications 7.9.5): the characters' positions in
// the set, weighted with primes rising from the right, modulo 1021, written in base 32.
func endsInCheckPair(v string) bool {
	const (
		positions = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
		base32    = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	)
	primes := [...]int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83}
	n := len(v) - 2
	if n < 1 || n > len(primes) {
		return false
	}
	sum := 0
	for i := range n {
		sum += strings.IndexByte(positions, v[i]) * primes[n-1-i]
	}
	sum %= 1021
	return v[n] == base32[sum>>5] && v[n+1] == base32[sum&31]
}
