package sheet_test

import (
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

func TestDates(t *testing.T) {
	tests := []struct {
		text  string
		order sheet.Order
		want  string // ISO 8601, or a code
	}{
		{"2026-04-20", sheet.YearFirst, "2026-04-20"},
		{"2026/4/2", sheet.YearFirst, "2026-04-02"},
		{"2026.4.2", sheet.YearFirst, "2026-04-02"},
		{"2026年4月2日", sheet.YearFirst, "2026-04-02"},
		{"２０２６年４月２日", sheet.YearFirst, "2026-04-02"},
		{"20260402", sheet.YearFirst, "2026-04-02"},
		{"2026-04-20 00:00:00", sheet.YearFirst, "2026-04-20T00:00:00"},
		{"2026-04-20 08:30", sheet.YearFirst, "2026-04-20T08:30:00"},
		{"2026-04-20T08:30:15.25-07:00", sheet.YearFirst, "2026-04-20T08:30:15.25-07:00"},
		{"2026年4月20日 下午2:05", sheet.YearFirst, "2026-04-20T14:05:00"},
		{"2026年4月20日14时05分", sheet.YearFirst, "2026-04-20T14:05:00"},
		{"20 Apr 2026", sheet.YearFirst, "2026-04-20"},
		{"20-April-2026", sheet.YearFirst, "2026-04-20"},
		{"Apr 20, 2026", sheet.YearFirst, "2026-04-20"},
		{"Sept. 3rd, 2026 8:30 PM", sheet.YearFirst, "2026-09-03T20:30:00"},
		{"12 am", sheet.YearFirst, "DATE"},
		{"4/20/2026", sheet.YearFirst, "2026-04-20"},
		{"20.04.2026", sheet.YearFirst, "2026-04-20"},
		{"03 25 2026", sheet.YearFirst, "2026-03-25"},
		{"4/4/2026", sheet.YearFirst, "2026-04-04"},
		{"4/20/2026 12:15 AM", sheet.YearFirst, "2026-04-20T00:15:00"},
		{"04/01/2026", sheet.YearFirst, "DATE_AMBIGUOUS"},
		{"04/01/2026", sheet.MonthFirst, "2026-04-01"},
		{"04/01/2026", sheet.DayFirst, "2026-01-04"},
		{"20/04/2026", sheet.MonthFirst, "2026-04-20"},
		{"4/20/26", sheet.YearFirst, "DATE_AMBIGUOUS"},
		{"260420", sheet.YearFirst, "DATE_AMBIGUOUS"},
		{"45078", sheet.YearFirst, "2023-06-01"},
		{"45078.354166666664", sheet.YearFirst, "2023-06-01T08:30:00"},
		{"12345", sheet.YearFirst, "DATE"},
		{"2026-02-30", sheet.YearFirst, "DATE"},
		{"13/13/2026", sheet.YearFirst, "DATE"},
		{"2026-04-20 25:00", sheet.YearFirst, "DATE"},
		{"2026-04-20 13:00 PM", sheet.YearFirst, "DATE"},
		{"0026-04-20", sheet.YearFirst, "DATE"},
		{"last Tuesday", sheet.YearFirst, "DATE"},
		{"Foo 20, 2026", sheet.YearFirst, "DATE"},
		{"2026/4/20", sheet.YearFirst, "2026-04-20"},
		{"2026.4.20", sheet.YearFirst, "2026-04-20"},
		{"20260420", sheet.YearFirst, "2026-04-20"},
		{"2026年4月20日", sheet.YearFirst, "2026-04-20"},
		{"２０２６年４月２０日", sheet.YearFirst, "2026-04-20"},
		{"20-Apr-2026", sheet.YearFirst, "2026-04-20"},
		{"20 April 2026", sheet.YearFirst, "2026-04-20"},
		{"April 20, 2026", sheet.YearFirst, "2026-04-20"},
		{"Apr 20 2026", sheet.YearFirst, "2026-04-20"},
		{"20-apr-26", sheet.YearFirst, "2026-04-20"},
		{"2026/4/20 8:30:15", sheet.YearFirst, "2026-04-20T08:30:15"},
		{"2026-04-20T08:30:00", sheet.YearFirst, "2026-04-20T08:30:00"},
		{"2026年4月20日 下午3:05", sheet.YearFirst, "2026-04-20T15:05:00"},
		{"2026年4月20日8时30分", sheet.YearFirst, "2026-04-20T08:30:00"},
		{"2026-04-20 8:30 pm", sheet.YearFirst, "2026-04-20T20:30:00"},
		{"20260420 083000", sheet.YearFirst, "2026-04-20T08:30:00"},
		{"2026-04-20 08:30:00.125", sheet.YearFirst, "2026-04-20T08:30:00.125"},
		{"2026-04", sheet.YearFirst, "DATE"},
		{"20.4", sheet.YearFirst, "DATE"},
		{"", sheet.YearFirst, "DATE"},
		{"tomorrow", sheet.YearFirst, "DATE"},
		{"2026-04-20T08:30:00Z", sheet.YearFirst, "2026-04-20T08:30:00+00:00"},
		{"4/5/2026 7:00", sheet.DayFirst, "2026-05-04T07:00:00"},
		{"4/5/2026 7:00", sheet.MonthFirst, "2026-04-05T07:00:00"},
		{"05.03.2026", sheet.DayFirst, "2026-03-05"},
		{"26-3-10", sheet.DayFirst, "DATE_AMBIGUOUS"},
		{"3月9日", sheet.YearFirst, "DATE"},
		{"2026年3月6日 上午9点", sheet.YearFirst, "2026-03-06T09:00:00"},
		{"2026年3月6号9点半", sheet.YearFirst, "DATE"},
		{"2026-3-6 9点", sheet.YearFirst, "2026-03-06T09:00:00"},
		{"2026-3-6 9:", sheet.YearFirst, "DATE"},
	}
	for _, test := range tests {
		m, bad := sheet.Cell{Text: test.text, Kind: sheet.Text}.Date(test.order)
		got := m.Civil.Format("2006-01-02")
		if m.Clock {
			got = m.Civil.Format("2006-01-02T15:04:05.999")
		}
		if m.Zone != nil {
			got += m.In(nil).Format("-07:00")
		}
		if bad != nil {
			if got = string(bad.Code); bad.Why == "" {
				t.Errorf("%q: no sentence", test.text)
			}
		}
		if got != test.want {
			t.Errorf("%q: %s, want %s", test.text, got, test.want)
		}
	}
}

// A date is where its text says, else where its sheet is.
func TestZones(t *testing.T) {
	for text, want := range map[string]string{"2026-04-20 08:00": "2026-04-20T08:00:00+08:00", "2026-04-20 08:00 -07:00": "2026-04-20T08:00:00-07:00", "46132": "2026-04-20T00:00:00+08:00"} {
		m, bad := sheet.Cell{Text: text, Kind: sheet.Text}.Date(sheet.YearFirst)
		if got := m.In(time.FixedZone("", 8*3600)).Format(time.RFC3339); bad != nil || got != want {
			t.Errorf("%q is %s (%v), want %s", text, got, bad, want)
		}
	}
}
