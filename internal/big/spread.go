package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"aftercall/conversation"
)

// quarter is everything that is to be written: which calls, when, and by whom.
type quarter struct {
	options
	accounts []account
	from     time.Time
	worth    float64 // in days' calls; the last day is not over
}

// The days of the quarter, and how much busier its end is than its beginning.
const (
	days   = 90
	growth = 0.85
)

func newQuarter(o options, accounts []account) *quarter {
	today := o.until.Truncate(24 * time.Hour)
	return &quarter{options: o, accounts: accounts, from: today.AddDate(0, 0, 1-days),
		worth: days - 1 + bend(float64(o.until.Sub(today))/float64(24*time.Hour), ofDay, ofCalls)}
}

// moment is when call n of all came in: later calls are denser, and each day has its rhythm. A later n is never earlier, so
// that ids grow with it.
func (q *quarter) moment(n int) time.Time {
	day, part := math.Modf(q.worth * math.Pow((float64(n)+0.5)/float64(q.conversations), growth))
	return q.from.Add(time.Duration((day + bend(part, ofCalls, ofDay)) * float64(24*time.Hour)))
}

// What bend goes between: the share of a day's calls that have come in, and the share of the day that has passed.
const (
	ofCalls = 0
	ofDay   = 1
)

// bend is the rhythm of a day: few calls at night, most in working hours.
func bend(part float64, from, to int) float64 {
	hours := [...][2]float64{{0, 0}, {0.04, 7.0 / 24}, {0.45, 12.0 / 24}, {0.58, 14.0 / 24}, {0.92, 18.5 / 24}, {1, 1}}
	for k := 1; k < len(hours); k++ {
		if a, b := hours[k-1], hours[k]; part <= b[from] {
			return a[to] + (part-a[from])/(b[from]-a[from])*(b[to]-a[to])
		}
	}
	return 1
}

// externalID is what the platform calls a call.
func externalID(n int) string { return fmt.Sprintf("call-%d", n) }

// dice are the random numbers of one call: the same seed and number give the same call.
type dice struct {
	*rand.Rand
	at time.Time
}

func (q *quarter) dice(n int) dice {
	return dice{rand.New(rand.NewPCG(q.seed, uint64(n))), q.moment(n)}
}

// id makes a UUID of version 7 that is so old as the call.
func (d dice) id() (id [16]byte) {
	binary.BigEndian.PutUint64(id[:8], uint64(d.at.UnixMilli())<<16|uint64(d.IntN(1<<12)))
	binary.BigEndian.PutUint64(id[8:], d.Uint64())
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}

// often reports whether something happens that happens in this share of all cases.
func (d dice) often(share float64) bool { return d.Float64() < share }

// one picks one of several.
func one[T any](d dice, of []T) T { return of[d.IntN(len(of))] }

// customer is somebody who calls. A quarter as many as there are calls; some call often, most once.
type customer struct{ name, email, number string }

func (d dice) customer(conversations int) customer {
	pool := max(conversations/4, 1)
	k := int(float64(pool) * math.Pow(d.Float64(), 2))
	first, last := firstNames()[k%len(firstNames())], lastNames()[k/len(firstNames())%len(lastNames())]
	c := customer{name: first + " " + last, number: fmt.Sprintf("+9997%08d", k)} // no country has 999
	if k%5 != 0 {
		c.email = fmt.Sprintf("%s.%s.%d@example.org", strings.ToLower(first), strings.ToLower(last), k)
	}
	return c
}

// conversation makes what was said on a call.
func (d dice) conversation(external string, who customer) *conversation.Conversation {
	length := time.Duration(20+d.ExpFloat64()*180) * time.Second
	agent := d.IntN(12)
	c := &conversation.Conversation{
		ExternalID: external, Agent: conversation.Agent{ID: fmt.Sprintf("agent-%d", agent), Name: firstNames()[agent]},
		Channel: conversation.ChannelPhone, Direction: conversation.Inbound, Status: conversation.Completed,
		StartedAt: d.at.Add(-length).UTC(), EndedAt: d.at.UTC(), FromNumber: who.number, ToNumber: "+442071838750",
		Customer: conversation.Customer{Name: who.name, Email: who.email}, Summary: one(d, summaries()),
	}
	if d.often(0.2) {
		c.Direction, c.FromNumber, c.ToNumber = conversation.Outbound, c.ToNumber, c.FromNumber
	}
	switch {
	case d.often(0.07):
		c.Status = conversation.Failed
	case d.often(0.08):
		c.Status = conversation.Transferred
	}
	for k := range 4 + d.IntN(10) {
		turn := conversation.Turn{Role: conversation.RoleAgent, Text: one(d, agentLines()), AtMS: int64(k) * 6000}
		if k%2 == 1 {
			turn.Role, turn.Text = conversation.RoleCustomer, one(d, customerLines())
		}
		c.Turns = append(c.Turns, turn)
	}
	return c
}

func firstNames() []string {
	return []string{"Ana", "Ben", "Carla", "Dev", "Elif", "Femi", "Grete", "Hugo", "Ines", "Jan", "Kaya", "Liam", "Mei", "Nils", "Olga", "Priya",
		"Quinn", "Rosa", "Sven", "Tara", "Uma", "Vito", "Wanda", "Xenia", "Yusuf", "Zoe"}
}

func lastNames() []string {
	return []string{"Adams", "Brown", "Costa", "Dahl", "Evans", "Fischer", "Garcia", "Haas", "Ito", "Jones", "Kaur", "Lopez", "Moreau", "Novak",
		"Okafor", "Patel", "Quist", "Ruiz", "Silva", "Tanaka", "Ueda", "Vogel", "Walsh", "Young", "Zhang", "Aydin", "Berg", "Conti", "Diaz"}
}

func agentLines() []string {
	return []string{
		"Good morning, you are through to the assistant, how can I help you today?",
		"I am sorry to hear that. Have you been with us before, and may I have your full name, please?",
		"Thank you. There is a place on Thursday at a quarter past ten, or on Friday at four in the afternoon.",
		"The consultation is eighty-five pounds, and an x-ray is thirty more if it is needed.",
		"I will pass that on, and somebody will come back to you before the end of the day.",
		"Let me just check that for you. Yes, that is what it says here as well.",
		"Is there anything else that I can do for you? Then I wish you a pleasant day.",
	}
}

func customerLines() []string {
	return []string{
		"Hello, it has been hurting since Monday, and I would like to see somebody this week if there is a place.",
		"Yes, I have, it must have been, well, two years ago, with doctor Hale I think it was.",
		"Thursday at a quarter past ten would be good for me. What is it going to cost, roughly?",
		"No, that was not what I was told the last time. I have been charged twice now, and nobody calls me back.",
		"Could somebody ring me tomorrow, sometime after three? I am at work before that.",
		"Fine. And could you send me a confirmation, please, to the address that you have?",
		"Thank you very much, that was it. Goodbye.",
	}
}

func summaries() []string {
	return []string{
		"", "",
		"The customer asked for an appointment this week and took the place on Thursday morning.",
		"The customer was charged twice and would like the second payment back.",
		"The customer asked to be called back tomorrow after three.",
		"The customer asked what a consultation costs and said that they would think about it.",
	}
}
