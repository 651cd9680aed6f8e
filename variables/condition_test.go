package variables_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/interview"
	"aftercall/variables"
)

func declared() map[string]variables.Declaration {
	return map[string]variables.Declaration{
		"dyn_severity": {Name: "dyn_severity", Type: variables.Enum, Values: []interview.Option{{Key: "critical"}, {Key: "high"}, {Key: "low"}}},
		"dyn_amount":   {Name: "dyn_amount", Type: variables.Number},
		"dyn_agreed":   {Name: "dyn_agreed", Type: variables.Boolean},
		"dyn_day":      {Name: "dyn_day", Type: variables.Date},
		"dyn_at":       {Name: "dyn_at", Type: variables.Time},
		"dyn_topic":    {Name: "dyn_topic"},
	}
}

func TestCondition(t *testing.T) {
	t.Parallel()
	values := map[string]any{
		"dyn_severity": "critical", "dyn_amount": "5.00", "dyn_agreed": "false", "dyn_topic": "Billing", "dyn_day": "2026-11-24",
		"conversation_status": "Completed", "metadata": map[string]any{"vip": true, "tier": 2.0, "code": "0123", "tags": []any{"a"}},
	}
	for src, want := range map[string]bool{
		`dyn_severity == "critical"`:                                       true,
		`dyn_severity != 'critical'`:                                       false,
		`dyn_severity in ["high", "critical"]`:                             true,
		`dyn_severity in ("high", "low")`:                                  false,
		`dyn_severity not in ["high"]`:                                     true,
		`not dyn_severity == "low" and dyn_topic == "billing"`:             true,
		`dyn_severity == "low" or dyn_topic == "sales" or dyn_amount == 5`: true,
		`dyn_severity == "low" and dyn_topic == "x" or dyn_amount == 5`:    true,
		`dyn_severity == "low" and (dyn_topic == "x" or dyn_amount == 5)`:  false,
		`dyn_amount == 5.0`:                                                true,
		`dyn_amount == "5"`:                                                true,
		`dyn_amount != -5`:                                                 true,
		`dyn_agreed`:                                                       false,
		`not dyn_agreed`:                                                   true,
		`dyn_agreed == false`:                                              true,
		`dyn_topic`:                                                        true,
		`dyn_unheard`:                                                      false,
		`dyn_unheard != "x"`:                                               true,
		`dyn_unheard == ""`:                                                true,
		`conversation_status == "completed"`:                               true,
		`metadata.vip == true`:                                             true,
		`metadata.tier == 2`:                                               true,
		`metadata.code == "123"`:                                           false,
		`metadata.tags`:                                                    true,
		`metadata.none.deeper`:                                             false,
		`dyn_day == "2026-11-24"`:                                          true,
		`"critical" == dyn_severity`:                                       true,
		`dyn_topic == dyn_severity`:                                        false,
	} {
		t.Run(src, func(t *testing.T) {
			t.Parallel()
			c, fault := variables.ParseCondition(src, declared(), variables.SystemNames())
			if fault != nil {
				t.Fatalf("got fault at %d: %s", fault.Offset, fault.Message)
			}
			if got := c.Eval(values); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestConditionFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src     string
		offset  int
		message string // or help, a part of it
	}{
		{`dyn_severity == "critcal"`, 16, "did you mean critical?"},
		{`dyn_severity in ["high", "none"]`, 25, "no value"},
		{`customer_nme == "x"`, 0, "did you mean customer_name?"},
		{`dyn_topic == critical`, 13, "unknown variable"},
		{`dyn_topic = "x"`, 10, "write =="},
		{`dyn_amount > 5`, 11, "greater"},
		{`dyn_amount == "five"`, 14, "is a number"},
		{`dyn_agreed == "maybe"`, 14, "true or false"},
		{`dyn_day == "tomorrow"`, 11, "is a date"},
		{`dyn_at == "3 pm"`, 10, "time of day"},
		{`dyn_topic && dyn_agreed`, 10, "in words"},
		{`dyn_topic == "x`, 13, "never closed"},
		{`(dyn_topic`, 0, "never closed"},
		{`dyn_topic dyn_agreed`, 10, "not expected"},
		{`dyn_topic in "x"`, 13, "list"},
		{`dyn_topic in ["x" "y"]`, 18, "comma"},
		{`dyn_topic in ["x"`, 17, "comma"},
		{`dyn_topic ==`, 12, "too early"},
		{``, 0, "too early"},
		{`"x"`, 0, "no condition"},
		{`"x" == "y"`, 7, "two fixed"},
		{`and`, 0, "may not stand here"},
		{`dyn_topic.x`, 0, "not a variable"},
		{`metadata..x`, 0, "not a variable"},
		{`dyn_topic == 5x`, 13, "neither"},
		{`dyn_topic == “x”`, 13, "straight quotes"},
		{strings.Repeat("(", 80) + "dyn_topic", 51, "too deep"},
		{strings.Repeat("not ", 80) + "dyn_topic", 204, "too deep"},
		{strings.Repeat(" ", 5000), 4096, "longer"},
	} {
		t.Run(c.src[:min(len(c.src), 30)], func(t *testing.T) {
			t.Parallel()
			got, fault := variables.ParseCondition(c.src, declared(), variables.SystemNames())
			if fault == nil || got != nil {
				t.Fatalf("got no fault, want one at %d", c.offset)
			}
			if fault.Offset != c.offset || !strings.Contains(fault.Message+" "+fault.Help, c.message) || fault.Help == "" {
				t.Errorf("got %d: %q, help %q; want %d: %q", fault.Offset, fault.Message, fault.Help, c.offset, c.message)
			}
		})
	}
}

func TestConditionNames(t *testing.T) {
	t.Parallel()
	c, fault := variables.ParseCondition(`dyn_topic and metadata.vip or dyn_topic == agent_name`, declared(), variables.SystemNames())
	if fault != nil {
		t.Fatal(fault)
	}
	if diff := cmp.Diff([]string{"dyn_topic", "metadata.vip", "agent_name"}, c.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func FuzzParseCondition(f *testing.F) {
	f.Add(`dyn_severity in ["high", "low"] and not (dyn_agreed or metadata.vip == 5)`)
	f.Add(`"\" == 'x`)
	f.Fuzz(func(t *testing.T, src string) {
		c, fault := variables.ParseCondition(src, declared(), variables.SystemNames())
		switch {
		case fault != nil && (fault.Offset < 0 || fault.Offset > len(src) || fault.Message == "" || fault.Help == ""):
			t.Errorf("got fault %+v for %d bytes", fault, len(src))
		case fault == nil:
			c.Eval(map[string]any{"dyn_severity": "high"})
			c.Eval(nil)
		}
	})
}
