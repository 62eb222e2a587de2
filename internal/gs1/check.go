package gs1

// CheckDigit computes the GS1 check digit ('0' to '9') of digits, which do not yet contain it: weights 3, 1, 3, …
// from the right, modulo 10 (General Specifications 7.9.1). It fails with CharsetWrong or, for "", LengthWrong.
func CheckDigit(digits string) (byte, error) {
	if digits == "" {
		return 0, fault(LengthWrong, "", "a check digit needs at least one digit")
	}
	if !allDigits(digits) {
		return 0, fault(CharsetWrong, "", "only digits have a check digit")
	}
	return checkDigit(digits), nil
}

// checkDigit is CheckDigit for what is known to be digits.
func checkDigit[T string | []byte](digits T) byte {
	sum, weight := 0, 3
	for i := len(digits) - 1; i >= 0; i-- {
		sum += weight * int(digits[i]-'0')
		weight = 4 - weight
	}
	return byte('0' + (10-sum%10)%10)
}

// endsInCheckDigit says whether the last digit of digits is the check digit of the others.
func endsInCheckDigit[T string | []byte](digits T) bool {
	n := len(digits) - 1
	return n > 0 && checkDigit(digits[:n]) == digits[n]
}

// ValidGTIN checks a GTIN of 8, 12, 13 or 14 digits with its check digit.
func ValidGTIN(gtin string) error {
	switch len(gtin) {
	case 8, 12, 13, 14:
		return validDigits("GTIN", gtin)
	}
	return fault(LengthWrong, "GTIN", "a GTIN has 8, 12, 13 or 14 digits")
}

// ValidGLN checks a GLN: 13 digits with its check digit.
func ValidGLN(gln string) error {
	if len(gln) != 13 {
		return fault(LengthWrong, "GLN", "a GLN has 13 digits")
	}
	return validDigits("GLN", gln)
}

// ValidSSCC checks an SSCC: 18 digits with its check digit.
func ValidSSCC(sscc string) error {
	if len(sscc) != 18 {
		return fault(LengthWrong, "SSCC", "an SSCC has 18 digits")
	}
	return validDigits("SSCC", sscc)
}

func validDigits(name, s string) error {
	if !allDigits(s) {
		return fault(CharsetWrong, name, "only digits are allowed")
	}
	if !endsInCheckDigit(s) {
		return checkDigitFault(name, s)
	}
	return nil
}

func checkDigitFault[T string | []byte](part string, digits T) *Error {
	n := len(digits) - 1
	return fault(CheckDigitWrong, part, "the check digit is "+string(digits[n])+" and should be "+string(checkDigit(digits[:n])))
}

// PadGTIN fills a GTIN-8, -12 or -13 with leading zeros to 14 digits. Its check digit
// stays right. It does not check it; it fails with LengthWrong or CharsetWrong.
func PadGTIN(gtin string) (string, error) {
	switch {
	case !allDigits(gtin):
		return "", fault(CharsetWrong, "GTIN", "only digits are allowed")
	case len(gtin) == 14:
		return gtin, nil
	case len(gtin) == 8, len(gtin) == 12, len(gtin) == 13:
		return zeros[:14-len(gtin)] + gtin, nil
	}
	return "", fault(LengthWrong, "GTIN", "a GTIN has 8, 12, 13 or 14 digits")
}

const zeros = "000000"

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
