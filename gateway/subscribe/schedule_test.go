package subscribe

import (
	"strings"
	"testing"
	"time"
)

func TestScheduleNext(t *testing.T) {
	const layout = "Mon 2006-01-02 15:04:05"
	for _, c := range []struct {
		name     string
		schedule Schedule
		after    string
		want     []string
	}{
		{"the standard's example: once a day", Schedule{Hour: "1", Minute: "5"}, "Tue 2026-11-24 15:30:00",
			[]string{"Wed 2026-11-25 01:05:00", "Thu 2026-11-26 01:05:00"}},
		{"each second of a range", Schedule{Second: "[58-59]"}, "Tue 2026-11-24 15:30:57",
			[]string{"Tue 2026-11-24 15:30:58", "Tue 2026-11-24 15:30:59", "Tue 2026-11-24 15:31:58"}},
		{"a moment that matches is not its own successor", Schedule{Minute: "0,30"}, "Tue 2026-11-24 15:30:00",
			[]string{"Tue 2026-11-24 16:00:00", "Tue 2026-11-24 16:30:00"}},
		{"lists and ranges", Schedule{Hour: "1,[22-23]"}, "Tue 2026-11-24 01:00:00",
			[]string{"Tue 2026-11-24 22:00:00", "Tue 2026-11-24 23:00:00", "Wed 2026-11-25 01:00:00"}},
		{"Monday is 1, Sunday is 7", Schedule{DayOfWeek: "1,7"}, "Tue 2026-11-24 15:30:00",
			[]string{"Sun 2026-11-29 00:00:00", "Mon 2026-11-30 00:00:00"}},
		{"both kinds of days must match", Schedule{DayOfMonth: "13", DayOfWeek: "5"}, "Tue 2026-11-24 15:30:00",
			[]string{"Fri 2027-08-13 00:00:00", "Fri 2028-10-13 00:00:00"}},
		{"a month alone is its first moment", Schedule{Month: "2"}, "Tue 2026-11-24 15:30:00",
			[]string{"Mon 2027-02-01 00:00:00", "Tue 2028-02-01 00:00:00"}},
		{"a day that comes every four years", Schedule{Month: "2", DayOfMonth: "29"}, "Tue 2026-11-24 15:30:00",
			[]string{"Tue 2028-02-29 00:00:00", "Sun 2032-02-29 00:00:00"}},
		{"the last second of a year", Schedule{Month: "12", DayOfMonth: "31", Hour: "23", Minute: "59", Second: "59"}, "Tue 2026-11-24 15:30:00",
			[]string{"Thu 2026-12-31 23:59:59"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			calendar, wrong := c.schedule.read()
			if len(wrong) > 0 {
				t.Fatal(wrong)
			}
			at, err := time.Parse(layout, c.after)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				next, ok := calendar.next(at)
				if got := next.Format(layout); !ok || got != want {
					t.Fatalf("after %s comes %s, want %s", at.Format(layout), got, want)
				}
				at = next
			}
		})
	}
}

func TestScheduleRefused(t *testing.T) {
	for _, c := range []struct {
		schedule Schedule
		want     string // fields that are wrong
	}{
		{Schedule{}, ""},
		{Schedule{Second: "60"}, "second"},
		{Schedule{Second: "-1"}, "second"},
		{Schedule{Second: "0/30"}, "second"}, // Quartz has it, the standard does not
		{Schedule{Minute: "*"}, "minute"},
		{Schedule{Hour: "24"}, "hour"},
		{Schedule{Hour: "[5-3]"}, "hour"},
		{Schedule{Hour: "[5-"}, "hour"},
		{Schedule{Hour: "5-7"}, "hour"},
		{Schedule{Hour: "1,,2"}, "hour"},
		{Schedule{Hour: " 1"}, "hour"},
		{Schedule{DayOfMonth: "0"}, "dayOfMonth"},
		{Schedule{DayOfWeek: "8", Month: "13", Minute: "x"}, "minute month dayOfWeek"},
		{Schedule{DayOfMonth: "31", Month: "2,4"}, ""}, // never
	} {
		_, wrong := c.schedule.read()
		var names []string
		for _, w := range wrong {
			names = append(names, w.field)
		}
		if got := strings.Join(names, " "); len(wrong) == 0 || got != c.want {
			t.Errorf("%+v: wrong are %q, want %q", c.schedule, got, c.want)
		}
	}
}

func FuzzSchedule(f *testing.F) {
	f.Add("", "5", "1", "", "", "")
	f.Add("[0-59]", "0,30", "[9-17]", "31", "2,[5-7]", "1")
	f.Add("0/30", "[", "]", "-", ",", "[1-")
	f.Fuzz(func(t *testing.T, second, minute, hour, day, month, week string) {
		s := Schedule{second, minute, hour, day, month, week}
		c, wrong := s.read()
		if len(wrong) > 0 {
			return
		}
		now := time.Date(2026, 11, 24, 15, 30, 0, 0, time.UTC)
		next, ok := c.next(now)
		if !ok || !next.After(now) {
			t.Fatalf("%+v: after %v comes %v, %v", s, now, next, ok)
		}
		for i, v := range []int{next.Second(), next.Minute(), next.Hour(), next.Day(), int(next.Month()), (int(next.Weekday())+6)%7 + 1} {
			if !c.has(i, v) {
				t.Errorf("%+v: %v does not match in %s", s, next, fields[i].name)
			}
		}
	})
}
