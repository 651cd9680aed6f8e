package conversation_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/conversation"
)

func sample() *conversation.Conversation {
	start := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	return &conversation.Conversation{
		ExternalID: "call-1", Agent: conversation.Agent{ID: "reception", Name: "Reception"},
		Channel: conversation.ChannelPhone, Direction: conversation.Inbound, Status: conversation.Completed,
		StartedAt: start, EndedAt: start.Add(2 * time.Minute), Timezone: "Europe/London",
		FromNumber: "+447700900123", ToNumber: "020 7946 0000",
		Turns: []conversation.Turn{
			{Role: conversation.RoleAgent, Text: "Hello, how can I help?"},
			{Role: conversation.RoleCustomer, Text: "Please call me back.", AtMS: 2500},
		},
		Metadata: map[string]any{"tier": "gold", "nested": map[string]any{"a": []any{1, "b"}}},
	}
}

func TestCheckFindsNothingWrongInASoundConversation(t *testing.T) {
	t.Parallel()
	if got := sample().Check(); len(got) != 0 {
		t.Errorf("faults = %v, want none", got)
	}
}

func TestCheckNamesEachFault(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spoil func(*conversation.Conversation)
		want  []string // pointers
	}{
		"nothing given": {func(c *conversation.Conversation) { *c = conversation.Conversation{} },
			[]string{"/id", "/agent/id", "/channel", "/status", "/started_at", "/ended_at"}},
		"blank id":           {func(c *conversation.Conversation) { c.ExternalID = "  " }, []string{"/id"}},
		"long id":            {func(c *conversation.Conversation) { c.ExternalID = strings.Repeat("x", 201) }, []string{"/id"}},
		"unknown channel":    {func(c *conversation.Conversation) { c.Channel = "fax" }, []string{"/channel"}},
		"unknown direction":  {func(c *conversation.Conversation) { c.Direction = "sideways" }, []string{"/direction"}},
		"unknown status":     {func(c *conversation.Conversation) { c.Status = "in_progress" }, []string{"/status"}},
		"ends before start":  {func(c *conversation.Conversation) { c.EndedAt = c.StartedAt.Add(-time.Second) }, []string{"/ended_at"}},
		"year 58000":         {func(c *conversation.Conversation) { c.EndedAt = time.UnixMilli(1_772_000_000_000_000) }, []string{"/ended_at"}},
		"unknown zone":       {func(c *conversation.Conversation) { c.Timezone = "Mars/Olympus" }, []string{"/timezone"}},
		"the server's zone":  {func(c *conversation.Conversation) { c.Timezone = "Local" }, []string{"/timezone"}},
		"zone as a path":     {func(c *conversation.Conversation) { c.Timezone = "../etc/passwd" }, []string{"/timezone"}},
		"line break in name": {func(c *conversation.Conversation) { c.Customer.Name = "Pat\r\nBcc: x" }, []string{"/customer/name"}},
		"script as url":      {func(c *conversation.Conversation) { c.URL = "javascript:alert(1)" }, []string{"/url"}},
		"number as url":      {func(c *conversation.Conversation) { c.URL = "http://999999999/calls" }, []string{"/url"}},
		"relative url":       {func(c *conversation.Conversation) { c.URL = "/calls/1" }, []string{"/url"}},
		"nul in a turn":      {func(c *conversation.Conversation) { c.Turns[1].Text = "a\x00b" }, []string{"/turns/1/text"}},
		"bad utf-8":          {func(c *conversation.Conversation) { c.Turns[0].Text = "\xff" }, []string{"/turns/0/text"}},
		"unknown role":       {func(c *conversation.Conversation) { c.Turns[0].Role = "bot" }, []string{"/turns/0/role"}},
		"turn before start":  {func(c *conversation.Conversation) { c.Turns[1].AtMS = -1 }, []string{"/turns/1/at_ms"}},
		"huge turn":          {func(c *conversation.Conversation) { c.Turns[0].Text = strings.Repeat("x", 100<<10+1) }, []string{"/turns/0/text"}},
		"too many turns": {func(c *conversation.Conversation) {
			c.Turns = make([]conversation.Turn, conversation.MaxTurns+1)
		}, []string{"/turns"}},
		"key to be escaped": {func(c *conversation.Conversation) {
			c.Metadata = map[string]any{"a/b~c": []any{"x", "\x00"}}
		}, []string{"/metadata/a~1b~0c/1"}},
		"long metadata key": {func(c *conversation.Conversation) {
			c.Metadata = map[string]any{"in": map[string]any{strings.Repeat("ä", 101): "\x00", strings.Repeat("k", 200): "fine"}}
		}, []string{"/metadata/in/" + strings.Repeat("ä", 100) + "…"}},
		"too many values": {func(c *conversation.Conversation) {
			c.Metadata = map[string]any{"a": make([]any, conversation.MaxMetadata)}
		}, []string{"/metadata"}},
		"too many values, spread": {func(c *conversation.Conversation) {
			c.Metadata = map[string]any{"a": make([]any, 300), "b": map[string]any{"c": make([]any, 198)}, "d": "\x00"}
		}, []string{"/metadata"}},
		"as many values as may be": {func(c *conversation.Conversation) {
			c.Metadata = map[string]any{"a": make([]any, 300), "b": map[string]any{"c": make([]any, 196)}, "d": "\x00"}
		}, []string{"/metadata/d"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := sample()
			tt.spoil(c)
			var got []string
			for _, f := range c.Check() {
				got = append(got, f.Pointer)
				if f.Message == "" {
					t.Errorf("fault at %s says nothing", f.Pointer)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("pointers (-want +got):\n%s", diff)
			}
		})
	}
}

// Metadata costs what its values cost, however long the keys above them are. It must run alone: it counts what the whole
// process allocates.
func TestCheckOfMetadataIsCheap(t *testing.T) {
	list := func(n int) []any {
		l := make([]any, n)
		for i := range l {
			l[i] = "x"
		}
		return l
	}
	deep := any(list(400))
	for range 60 {
		deep = map[string]any{strings.Repeat("k", conversation.MaxMetaKey): deep}
	}
	for name, m := range map[string]map[string]any{
		"a list below long keys":        {"a": deep},
		"a long list below a huge key":  {strings.Repeat("k", 40_000): list(100_000)},
		"a short list below a huge key": {strings.Repeat("k", 40_000): list(400)},
		"a long list":                   {"a": list(100_000)},
	} {
		c := sample()
		c.Metadata = m
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c.Check()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 64<<10 {
			t.Errorf("%s: checking took %d bytes of memory, want at most 64 KB", name, got)
		}
	}
}

func TestCheckStopsCounting(t *testing.T) {
	t.Parallel()
	c := sample()
	c.Turns = make([]conversation.Turn, 5000) // no turn has a role
	if got := len(c.Check()); got != 100 {
		t.Errorf("faults = %d, want 100", got)
	}
}

func TestOddNumbersAndAddressesAreNoFault(t *testing.T) {
	t.Parallel()
	c := sample()
	c.FromNumber, c.ToNumber = "anonymous", "sip:100@pbx.example"
	c.Customer = conversation.Customer{Name: "李 雷", Email: "not an address", Number: "(0)20 7946-0000"}
	if got := c.Check(); len(got) != 0 {
		t.Errorf("faults = %v, want none", got)
	}
}
