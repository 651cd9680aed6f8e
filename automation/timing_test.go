package automation_test

import (
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/reason"
	"aftercall/triggers"
)

func days(ds ...time.Weekday) (out [7]bool) {
	for _, d := range ds {
		out[d] = true
	}
	return out
}

func TestTiming(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	weekdays := triggers.Hours{Days: days(1, 2, 3, 4, 5), From: 8 * 60, To: 20 * 60}
	saturday := triggers.Hours{Days: days(6), From: 10 * 60, To: 14 * 60}
	night := triggers.Hours{Days: days(0, 1, 2, 3, 4, 5, 6), From: 22 * 60, To: 6 * 60}
	early := triggers.Hours{Days: days(0), From: 60 + 30, To: 3 * 60} // Sunday 01:30, which the spring change skips
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, london)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct {
		name       string
		timing     automation.Timing
		ended, now string
		want       string
		why        reason.Code
	}{
		{"at the end of the call", automation.Timing{}, "2026-11-20 15:04", "2026-11-20 15:05", "2026-11-20 15:05", ""},
		{"now", automation.Timing{Now: true}, "2026-11-20 16:00", "2026-11-20 15:05", "2026-11-20 15:05", ""},
		{"after, still to come", automation.Timing{After: 10 * time.Minute}, "2026-11-20 15:04", "2026-11-20 15:05", "2026-11-20 15:14", reason.Waiting},
		{"after, already over", automation.Timing{After: 10 * time.Minute}, "2026-11-20 15:04", "2026-11-20 16:00", "2026-11-20 16:00", ""},
		{"inside the window", automation.Timing{Window: []triggers.Hours{weekdays}}, "2026-11-20 15:04", "2026-11-20 15:05", "2026-11-20 15:05", ""},
		{"the first minute is inside", automation.Timing{Window: []triggers.Hours{weekdays}}, "2026-11-20 08:00", "2026-11-20 08:00", "2026-11-20 08:00", ""},
		{"the last is outside", automation.Timing{Window: []triggers.Hours{weekdays}}, "2026-11-20 20:00", "2026-11-20 20:00", "2026-11-23 08:00", reason.OutsideWindow},
		{"the nearest of two spans", automation.Timing{Window: []triggers.Hours{weekdays, saturday}}, "2026-11-20 20:00", "2026-11-20 20:00", "2026-11-21 10:00", reason.OutsideWindow},
		{"same day next week", automation.Timing{Window: []triggers.Hours{saturday}}, "2026-11-21 14:00", "2026-11-21 14:00", "2026-11-28 10:00", reason.OutsideWindow},
		{"after leads out of the window", automation.Timing{After: time.Hour, Window: []triggers.Hours{weekdays}}, "2026-11-20 19:30", "2026-11-20 19:31", "2026-11-23 08:00", reason.OutsideWindow},
		{"after, inside the window", automation.Timing{After: time.Hour, Window: []triggers.Hours{weekdays}}, "2026-11-20 15:00", "2026-11-20 15:01", "2026-11-20 16:00", reason.Waiting},
		{"past midnight", automation.Timing{Window: []triggers.Hours{night}}, "2026-11-20 03:00", "2026-11-20 03:00", "2026-11-20 03:00", ""},
		{"before the night", automation.Timing{Window: []triggers.Hours{night}}, "2026-11-20 07:00", "2026-11-20 07:00", "2026-11-20 22:00", reason.OutsideWindow},
		{"opening on the day the clocks go back", automation.Timing{Window: []triggers.Hours{{Days: days(0), From: 8 * 60, To: 9 * 60}}}, "2026-10-24 12:00", "2026-10-24 12:00", "2026-10-25 08:00", reason.OutsideWindow},
		{"opening in the hour that is skipped", automation.Timing{Window: []triggers.Hours{early}}, "2026-03-28 12:00", "2026-03-28 12:00", "2026-03-29 02:30", reason.OutsideWindow},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, why := tt.timing.At(at(tt.ended), at(tt.now), london)
			if !got.Equal(at(tt.want)) || why != tt.why {
				t.Errorf("At = %v, %q, want %v, %q", got, why, at(tt.want), tt.why)
			}
		})
	}
}

// The forms of windows and durations, as an author's file has them.
func TestTimingForms(t *testing.T) {
	t.Parallel()
	all := days(0, 1, 2, 3, 4, 5, 6)
	for _, tt := range []struct {
		name, window, after string
		want                *automation.Timing // nil: refused
	}{
		{"range", "Mon-Sat 08:00-20:00", "10m", &automation.Timing{After: 10 * time.Minute, Window: []triggers.Hours{{Days: days(1, 2, 3, 4, 5, 6), From: 480, To: 1200}}}},
		{"days", "sat, sun 10:00-14:30", "4h", &automation.Timing{After: 4 * time.Hour, Window: []triggers.Hours{{Days: days(6, 0), From: 600, To: 870}}}},
		{"over the week's end", "Sat-Mon 9:00-17:00", "2d", &automation.Timing{After: 48 * time.Hour, Window: []triggers.Hours{{Days: days(6, 0, 1), From: 540, To: 1020}}}},
		{"every day, whole day", "00:00-24:00", "1d2h3m4s", &automation.Timing{After: 26*time.Hour + 3*time.Minute + 4*time.Second, Window: []triggers.Hours{{Days: all, To: 1440}}}},
		{"no such day", "Mo-Fr 08:00-20:00", "10m", nil},
		{"no such hour", "Mon 25:00-26:00", "10m", nil},
		{"no such minute", "Mon 08:60-09:00", "10m", nil},
		{"no time", "Mon-Fri", "10m", nil},
		{"begins at midnight tonight", "Mon 24:00-02:00", "10m", nil},
		{"wrong order", "08:00-20:00", "10m2h", nil},
		{"no unit", "08:00-20:00", "10", nil},
		{"fraction", "08:00-20:00", "1.5h", nil},
		{"negative", "08:00-20:00", "-5m", nil},
		{"too long", "08:00-20:00", "91d", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			src := "automations:\n  - { id: one, when: always, actions: [sms: { to: [maria], body: x, window: \"" + tt.window + "\", send: { after: \"" + tt.after + "\" } }] }\n"
			rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(office), "r.yaml": []byte(src)})
			if (rev == nil) != (tt.want == nil) {
				t.Fatalf("revision %v, problems %v", rev, problems)
			}
			if rev == nil {
				return
			}
			got := rev.Automations[0].Actions[0].Send
			if got.After != tt.want.After || len(got.Window) != 1 || got.Window[0] != tt.want.Window[0] {
				t.Errorf("timing %+v, want %+v", got, *tt.want)
			}
		})
	}
}

// A window in a zone of its own opens by the clocks there, wherever the call was.
func TestWindowInAZone(t *testing.T) {
	t.Parallel()
	rev := compile(t, automation.Files{"account.yaml": []byte(office), "rules.yaml": []byte(`automations:
  - id: one
    when: always
    actions:
      - team_alert: { text: Hello, window: { hours: "08:00-20:00", timezone: America/New_York } }
      - team_alert: { text: Hello, window: { hours: "08:00-20:00" } }
`)})
	if rev.Format != 3 {
		t.Errorf("format %d, want 3: versions that do not know the key must leave this revision to others", rev.Format)
	}
	if plain := windowed(t, `{ hours: "08:00-20:00" }`); plain.Format != 3 {
		t.Errorf("without a zone format %d, want 3: versions before refuse any window that is a mapping", plain.Format)
	}
	if short := windowed(t, `"08:00-20:00"`); short.Format != 1 {
		t.Errorf("hours alone have format %d, want 1: every version takes them", short.Format)
	}
	london := rev.Location
	ended := time.Date(2026, 11, 20, 9, 0, 0, 0, london)
	due, why := rev.Automations[0].Actions[0].Send.At(ended, ended, london)
	if want := time.Date(2026, 11, 20, 13, 0, 0, 0, london); !due.Equal(want) || why != reason.OutsideWindow {
		t.Errorf("due %s, %q; want %s", due, why, want)
	}
	if due, why := rev.Automations[0].Actions[1].Send.At(ended, ended, london); !due.Equal(ended) || why != "" {
		t.Errorf("without a zone due %s, %q; want at once", due, why)
	}
}

// windowed compiles an automation whose action has this window.
func windowed(t *testing.T, window string) *automation.Revision {
	t.Helper()
	return compile(t, automation.Files{"account.yaml": []byte(office),
		"rules.yaml": []byte("automations:\n  - { id: one, when: always, actions: [team_alert: { text: Hello, window: " + window + " }] }\n")})
}
