package ingest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/conversation"
)

const kazooEndOfMissed = `{"hook_event":"channel_destroy","call_id":"NDlk","call_direction":"inbound","billing_seconds":7,"duration_seconds":10,"timestamp":"63939663120",
 "hangup_cause":"NORMAL_CLEARING","caller_id_name":"Pat","caller_id_number":"+447700900123","request":"+442079460000@sip.example","to":"+442079460000@sip.example",
 "is_internal_leg":false,"account_id":"91eb"}`

var twilioOutbound = strings.NewReplacer("Direction=inbound", "Direction=outbound-api", "Called=%2B442079460000", "Called=%2B447700900123",
	"To=%2B442079460000", "To=%2B447700900123", "From=%2B447700900123", "From=%2B442079460000", "Caller=%2B447700900123", "Caller=%2B442079460000").Replace(twilioCall)

// partsOf are the events in which each platform tells of one call that it posts in several.
var partsOf = map[string][]string{
	"kazoo":    {kazooEndOfMissed, kazooMailbox, kazooUnanswered},
	"twilio":   {twilioOutbound, twilioWords},
	"retell":   {strings.Replace(retellCall, "call_analyzed", "call_ended", 1), retellCall},
	"itellico": {itellicoCall, strings.NewReplacer("conversation.ended", "conversation.analysis.completed", "e-1", "e-2").Replace(itellicoCall)},
}

// orders are all in which some of the parts can come, two of them at least.
func orders(parts []*conversation.Conversation) (all [][]*conversation.Conversation) {
	var walk func(begun, left []*conversation.Conversation)
	walk = func(begun, left []*conversation.Conversation) {
		if len(begun) > 1 {
			all = append(all, begun)
		}
		for i := range left {
			var rest []*conversation.Conversation
			rest = append(append(rest, left[:i]...), left[i+1:]...)
			walk(append(append([]*conversation.Conversation{}, begun...), left[i]), rest)
		}
	}
	walk(nil, parts)
	return all
}

// TestOrderChangesNothing: whichever event of a call comes first, they make the same call. It holds for what the platforms post,
// and if each event contradicts the others in whatever it says.
func TestOrderChangesNothing(t *testing.T) {
	t.Parallel()
	for platform, bodies := range partsOf {
		for silence := -1; silence < 1<<len(bodies); silence++ {
			var parts []*conversation.Conversation
			for n, body := range bodies {
				c := decodes(t, platform, body, nil).conversation
				if silence >= 0 {
					contradict(reflect.ValueOf(c).Elem(), n, silence)
				}
				parts = append(parts, c)
			}
			made := map[string]*conversation.Conversation{}
			for _, order := range orders(parts) {
				var c *conversation.Conversation
				for _, part := range order {
					c, _ = conversation.Merge(c, part)
				}
				of := make([]bool, len(parts))
				for n, part := range parts {
					for _, one := range order {
						of[n] = of[n] || one == part
					}
				}
				if first := made[fmt.Sprint(of)]; first == nil {
					made[fmt.Sprint(of)] = c
				} else if diff := cmp.Diff(first, c); diff != "" {
					t.Errorf("%s, of events %v, in another order (silence %d):\n%s", platform, of, silence, diff)
				}
			}
		}
	}
}

// contradict has event n say something of its own in each field of a call. Of some fields it says nothing: which they are differs
// from field to field, so that with every silence each field is left out by each choice of events.
func contradict(v reflect.Value, n, silence int) {
	for i := range v.NumField() {
		field, says := v.Type().Field(i), (silence+i)>>n&1 == 0
		f := v.Field(i)
		word := fmt.Sprintf("%s of %d", field.Name, n)
		switch f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(time.Time{}))
			if says {
				f.Set(reflect.ValueOf(time.Date(2026, 3, 1+n, i, 0, 0, 0, time.UTC)))
			}
		case conversation.Agent, conversation.Customer:
			contradict(f, n, silence+i)
		case []conversation.Turn:
			f.Set(reflect.ValueOf([]conversation.Turn{}))
			if says {
				f.Set(reflect.ValueOf([]conversation.Turn{{Role: conversation.RoleAgent, Text: word}}))
			}
		case map[string]any:
			m := map[string]any{word: n}
			for key := range 4 {
				if (silence+key)>>n&1 == 0 {
					m[fmt.Sprint(key)] = word
				}
			}
			f.Set(reflect.ValueOf(m))
		default:
			if f.Kind() == reflect.String && field.Tag.Get("json") != "-" && field.Name != "ExternalID" {
				f.SetString("")
				if says {
					f.SetString(word)
				}
			}
		}
	}
}

// TestWhoIsBelieved: the merged call says what the event says that knows it best.
func TestWhoIsBelieved(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ platform, parts, want string }{
		"nobody took it, though the end was billed": {"kazoo", "0 2", "failed inbound +447700900123 +442079460000 10s of +447700900123"},
		"a message and the call's end":              {"kazoo", "0 1", "completed inbound +447700900123 +442079460000 10s of +447700900123"},
		"an outbound call and its words":            {"twilio", "0 1", "completed outbound +442079460000 +447700900123 1m12s of +447700900123"},
	} {
		for _, order := range []string{tt.parts, tt.parts[2:] + " " + tt.parts[:1]} {
			var c *conversation.Conversation
			for n := range strings.FieldsSeq(order) {
				c, _ = conversation.Merge(c, decodes(t, tt.platform, partsOf[tt.platform][n[0]-'0'], nil).conversation)
			}
			if got := fmt.Sprintf("%s %s %s %s %s of %s", c.Status, c.Direction, c.FromNumber, c.ToNumber, c.Duration(), c.CustomerNumber()); got != tt.want {
				t.Errorf("%s, in the order %s: %s, want %s", name, order, got, tt.want)
			}
		}
	}
}
