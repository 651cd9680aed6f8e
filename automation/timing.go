package automation

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"aftercall/reason"
	"aftercall/triggers"
)

// At gives the time an action is due, counted from the end of the conversation and not before now, and Waiting or
// OutsideWindow if that is later than now. loc is the zone the window's hours are in, unless they have one of their own.
func (t Timing) At(ended, now time.Time, loc *time.Location) (time.Time, reason.Code) {
	due, why := now, reason.Code("")
	if at := ended.Add(t.After); at.After(now) && !t.Now {
		due, why = at, reason.Waiting
	}
	if len(t.Window) == 0 {
		return due, why
	}
	if t.Zone != nil {
		loc = t.Zone
	}
	if open := opening(t.Window, due, loc); open.After(due) {
		return open, reason.OutsideWindow
	}
	return due, why
}

// opening gives t if a span contains it, else the next time one begins; t itself if none ever does.
func opening(spans []triggers.Hours, t time.Time, loc *time.Location) time.Time {
	local := t.In(loc)
	var next time.Time
	for day := -1; day <= 7; day++ {
		date := time.Date(local.Year(), local.Month(), local.Day()+day, 0, 0, 0, 0, loc)
		for _, h := range spans {
			if !h.Days[date.Weekday()] {
				continue
			}
			from, to := clock(date, h.From), clock(date, h.To)
			if h.To <= h.From {
				to = clock(date.AddDate(0, 0, 1), h.To)
			}
			switch {
			case !t.Before(from) && t.Before(to):
				return t
			case from.After(t) && (next.IsZero() || from.Before(next)):
				next = from
			}
		}
	}
	if next.IsZero() {
		return t
	}
	return next.In(t.Location())
}

// clock gives a time of day as the clock on the wall shows it; on the day the clocks change that is not a number of hours
// after midnight.
func clock(date time.Time, minutes int) time.Time {
	return time.Date(date.Year(), date.Month(), date.Day(), 0, minutes, 0, 0, date.Location())
}

var (
	durationForm = regexp.MustCompile(`^(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?$`)
	hoursForm    = regexp.MustCompile(`^(?:([A-Za-z,\- ]+?)\s+)?(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$`)
)

// parseDuration reads 90s, 10m, 4h, 2d and combinations in that falling order, such as 1h30m.
func parseDuration(s string) (time.Duration, bool) {
	m := durationForm.FindStringSubmatch(s)
	if m == nil || s == "" {
		return 0, false
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(m[i+1]) // digits, or nothing, which counts as 0
		d += time.Duration(n) * unit
	}
	return d, true
}

// spell writes a duration as an author would.
func spell(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}

// parseHours reads a span such as "Mon-Sat 08:00-20:00", "Sat,Sun 10:00-14:00" or "22:00-06:00" (every day, to the next
// morning).
func parseHours(s string) (triggers.Hours, bool) {
	m := hoursForm.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return triggers.Hours{}, false
	}
	days, ok := parseDays(m[1])
	from, okFrom := minutes(m[2], m[3])
	to, okTo := minutes(m[4], m[5])
	return triggers.Hours{Days: days, From: from, To: to}, ok && okFrom && okTo && from < 24*60
}

func minutes(hour, minute string) (int, bool) {
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi(minute)
	n := h*60 + m
	return n, m < 60 && n <= 24*60
}

// parseDays reads "Mon-Fri,Sun"; nothing means every day.
func parseDays(s string) (days [7]bool, ok bool) {
	if s == "" {
		return [7]bool{true, true, true, true, true, true, true}, true
	}
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, b := weekday(first), weekday(last)
		if a < 0 || b < 0 {
			return days, false
		}
		for d := a; ; d = (d + 1) % 7 {
			days[d] = true
			if d == b {
				break
			}
		}
	}
	return days, true
}

func weekday(s string) int {
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	return slices.Index(names, strings.ToLower(strings.TrimSpace(s)))
}
