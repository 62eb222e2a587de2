package event_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

func TestParseTime(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"2026-04-20T08:30:00Z", "2026-04-20T08:30:00Z"},
		{"2026-04-20T08:30:00+00:00", "2026-04-20T08:30:00Z"},
		{"2026-04-20T08:30:00.000+02:00", "2026-04-20T08:30:00+02:00"},
		{"2024-02-08T20:30:40.7930000+00:00", "2024-02-08T20:30:40.793Z"},
		{"2024-02-08T20:30:40.123456789-03:30", "2024-02-08T20:30:40.123456789-03:30"},
		{"2024-02-08T20:30:40.12345678900000-03:37", "2024-02-08T20:30:40.123456789-03:37"},
		{"2024-02-29T24:00:00+14:00", "2024-03-01T00:00:00+14:00"},
		{"0001-01-02T00:00:00Z", "0001-01-02T00:00:00Z"},
		{"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
		{"2024-02-08t20:30:40z", "2024-02-08T20:30:40Z"},
	} {
		got, err := event.ParseTime(test.in)
		if err != nil || got.String() != test.want {
			t.Errorf("%s: %v, %v; want %s", test.in, got, err, test.want)
		}
	}
	for _, in := range []string{"", "2026-04-20", "2026-04-20T08:30:00", "2026-04-20 08:30:00Z", "2026-02-29T08:30:00Z", "2026-13-01T08:30:00Z",
		"2026-04-20T24:00:01Z", "2026-04-20T08:60:00Z", "2026-04-20T08:30:60Z", "2026-04-20T08:30:00+14:01", "2026-04-20T08:30:00+1:00",
		"2026-04-20T08:30:00.Z", "2026-04-20T08:30:00.1234567891Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00",
		"9999-12-31T23:59:59-01:00", "-2026-04-20T08:30:00Z", "20260-04-20T08:30:00Z", "2026-04-20T08:30:00Zx"} {
		_, err := event.ParseTime(in)
		var e *event.Error
		if !errors.As(err, &e) || e.Code != event.TimeWrong {
			t.Errorf("%q: %v, want %s", in, err, event.TimeWrong)
		}
	}
}

func FuzzTime(f *testing.F) {
	f.Add("2026-04-20T08:30:00.5+02:00")
	f.Add("2024-02-29T24:00:00-13:59")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := event.ParseTime(s)
		if err != nil {
			return
		}
		again, err := event.ParseTime(got.String())
		if err != nil || !again.Equal(got) || again.String() != got.String() {
			t.Fatalf("%q: %v, then %v, %v", s, got, again, err)
		}
		std, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s))
		if err == nil && !std.Equal(got.Time) {
			t.Fatalf("%q: %v, the standard library says %v", s, got, std)
		}
	})
}

func TestParseDecimal(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"0", "0"}, {"-0", "0"}, {"0.000", "0"}, {"12.50", "12.5"}, {"-0.05", "-0.05"}, {"1.5E3", "1500"}, {"1.5e-3", "0.0015"}, {"+007", "7"},
		{"9223372036854775807", "9223372036854775807"}, {"0.000000000000000001", "0.000000000000000001"}, {"100e-2", "1"}, {"0e99", "0"},
		{"1000000000000000000000000e-6", "1000000000000000000"}, {"123.4560000000000000000000000", "123.456"},
	} {
		got, err := event.ParseDecimal(test.in)
		if err != nil || got.String() != test.want || !got.Stated {
			t.Errorf("%s: %v, %v; want %s", test.in, got, err, test.want)
		}
	}
	for in, code := range map[string]event.Code{"": event.DecimalWrong, "x": event.DecimalWrong, "1.": event.DecimalWrong, ".5": event.DecimalWrong,
		"1e": event.DecimalWrong, "1 ": event.DecimalWrong, "--1": event.DecimalWrong, "1.2.3": event.DecimalWrong, "NaN": event.DecimalWrong,
		"9223372036854775808": event.DecimalRange, "1e19": event.DecimalRange, "1e-19": event.DecimalRange, "99999999999999999999": event.DecimalRange,
		strings.Repeat("1", 65): event.DecimalRange, "18446744073709551616": event.DecimalRange, "1e99999": event.DecimalRange, "1e-99999999999999999999": event.DecimalRange, "1e+": event.DecimalWrong} {
		_, err := event.ParseDecimal(in)
		var e *event.Error
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("%q: %v, want %s", in, err, code)
		}
	}
}

func decimals() *rapid.Generator[event.Decimal] {
	return rapid.Custom(func(t *rapid.T) event.Decimal {
		d, ok := event.NewDecimal(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "mantissa"), rapid.IntRange(0, event.MaxScale).Draw(t, "scale"))
		if !ok {
			t.Fatal("not a decimal")
		}
		return d
	})
}

func rat(d event.Decimal) *big.Rat {
	r, _ := new(big.Rat).SetString(d.String())
	return r
}

// The decimals compare, add and subtract as exact fractions do, or say that they cannot.
func TestDecimalArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimals().Draw(t, "a"), decimals().Draw(t, "b")
		if got, want := a.Cmp(b), rat(a).Cmp(rat(b)); got != want {
			t.Fatalf("Cmp is %d, want %d", got, want)
		}
		if sum, ok := a.Add(b); ok && rat(sum).Cmp(new(big.Rat).Add(rat(a), rat(b))) != 0 {
			t.Fatalf("sum is %v", sum)
		}
		if diff, ok := a.Sub(b); ok && rat(diff).Cmp(new(big.Rat).Sub(rat(a), rat(b))) != 0 {
			t.Fatalf("difference is %v", diff)
		}
		again, err := event.ParseDecimal(a.String())
		if err != nil || again != a {
			t.Fatalf("%v is read as %v, %v", a, again, err)
		}
	})
}

// Sums that fit are not refused, those that do not are.
func TestDecimalOverflow(t *testing.T) {
	large, small := event.Int(1<<62), event.Decimal{Mantissa: 1, Scale: 18, Stated: true}
	if _, ok := large.Add(large); ok {
		t.Error("2^62 + 2^62 fits")
	}
	if _, ok := large.Add(small); ok {
		t.Error("2^62 + 10^-18 fits")
	}
	if sum, ok := event.Int(1).Add(event.Int(-1)); !ok || sum != event.Int(0) {
		t.Errorf("1 - 1 is %v, %v", sum, ok)
	}
	if sum, ok := (event.Decimal{}).Add(event.Int(5)); !ok || sum != event.Int(5) {
		t.Errorf("nothing + 5 is %v, %v", sum, ok)
	}
	if _, ok := event.NewDecimal(1, event.MaxScale+1); ok {
		t.Error("10^-19 fits")
	}
	if _, ok := event.NewDecimal(math.MinInt64, 0); ok {
		t.Error("-2^63 fits")
	}
	if _, ok := event.Int(-1 << 62).Add(event.Int(-1 << 62)); ok {
		t.Error("-2^62 - 2^62 fits")
	}
}

func FuzzDecimal(f *testing.F) {
	f.Add("-12.50e-3")
	f.Add("9223372036854775807")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := event.ParseDecimal(s)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(s)
		if !ok && d.Sign() != 0 || ok && want.Cmp(rat(d)) != 0 { // package big reads no 0E9227000000000000000, which is 0
			t.Fatalf("%q is %v", s, d)
		}
		if again, err := event.ParseDecimal(d.String()); err != nil || again != d {
			t.Fatalf("%v, then %v, %v", d, again, err)
		}
	})
}

func TestStrings(t *testing.T) {
	for in, want := range map[string]event.Strings{`"a"`: {"a"}, `["a","b"]`: {"a", "b"}, `[]`: nil, `null`: nil} {
		var got event.Strings
		if err := json.Unmarshal([]byte(in), &got); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{`1`, `["a",1]`, `{}`} {
		var got event.Strings
		var e *event.Error
		if err := json.Unmarshal([]byte(in), &got); !errors.As(err, &e) || e.Code != event.StringsWrong {
			t.Errorf("%s: %v", in, err)
		}
	}
	if b, err := json.Marshal(event.Strings{"a"}); err != nil || string(b) != `["a"]` {
		t.Errorf("%s, %v", b, err)
	}
}
