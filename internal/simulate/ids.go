package simulate

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

const stem = "https://id.gs1.org/"

// checked appends the check digit to digits.
func checked(digits string) string {
	c, err := gs1.CheckDigit(digits)
	if err != nil {
		panic("simulate: " + err.Error()) // only our own literals come here; a test runs through all of them
	}
	return digits + string(c)
}

// fill joins a company prefix and a number to n digits.
func fill(prefix string, number, n int) string {
	return fmt.Sprintf("%s%0*d", prefix, n-len(prefix), number)
}

// gln, gtin, sscc and grai build keys under a company prefix (General Specifications, sections 3.4.2, 3.3.2, 3.3.1, 3.3.8).
func gln(prefix string, ref int) string { return checked(fill(prefix, ref, 12)) }

func gtin(prefix string, ref int) string { return checked("0" + fill(prefix, ref, 12)) }

func sscc(prefix string, serial int) string {
	return stem + "00/" + checked("3"+fill(prefix, serial, 16))
}

func grai(prefix string, kind, serial int) string {
	return fmt.Sprintf("%s8003/0%s%d", stem, checked(fill(prefix, kind, 12)), serial)
}

// instance is the key of one serialised item of a class given by its key.
func instance(class, serial string) string { return class + "/21/" + serial }

// lot is the key of a lot of a class given by its key.
func lot(class, number string) string { return class + "/10/" + number }

// number is mantissa × 10^-scale.
func number(mantissa int64, scale int) event.Decimal {
	d, _ := event.NewDecimal(mantissa, scale) // our scales are far inside its range
	return d
}

// uuid is a version 4 UUID (RFC 9562) from a seeded source.
func uuid(rng *rand.Rand) string {
	a, b := rng.Uint64(), rng.Uint64()
	a = a&^0xf000 | 0x4000
	b = b&^(3<<62) | 2<<62
	return fmt.Sprintf("urn:uuid:%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
}

// asURN writes a canonical key as an EPC URN, as many ERP systems do.
func asURN(key, prefix string) string {
	if !strings.HasPrefix(key, stem) {
		return key
	}
	if urn, err := gs1.ToURN(key, len(prefix)); err == nil {
		return urn
	}
	return key // a key of another company, or one that has no URN
}
