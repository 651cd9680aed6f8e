package main

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/internal/chaos/bed"
)

// slowProvider lets calls arrive of which each is told by mail, by text and in Chatter, and sees whether two of these are as
// quick as ever while the provider of the third takes five seconds over everything it is asked.
func slowProvider() measurement {
	return measurement{id: "slow-provider", title: "the other channels while one provider takes 5 s", take: takeSlowProvider}
}

const (
	waysPerS  = 20                    // calls a second
	quickWait = 50 * time.Millisecond // how long a provider takes that has nothing wrong with it
	slowWait  = 5 * time.Second
)

// ways is the account whose calls are told in three ways.
const ways = "bench-ways"

const waysAccount = `account: bench-ways
name: Northwind Dental
timezone: Europe/London
language: en
missing: not stated
from: { email: "Northwind Dental <desk@northwind.example>", sms: "+442071838750" }
allow: { domains: [northwind.example] }
people:
  maria: { name: Maria Lopez, email: maria@northwind.example, phone: "+447700900123" }
sources:
  - { id: bench-ways, type: elevenlabs, secret: "${ENV:BENCH_SECRET}" }
automations:
  - id: told
    name: Told in three ways
    when: always
    actions:
      - email: { to: [maria], subject: "{{customer_number}} called", body: "{{customer_number}} called. Call them back." }
      - sms: { to: [maria], body: "{{customer_number}} called." }
      - chatter: { target: { group_id: 0F9B000000000W2KAI }, message: "{{customer_number}} called." }
`

// threeWays are the channels with a provider each, which takes as long as it is told to.
type threeWays struct {
	mail  *delivertest.SendGrid
	texts *delivertest.Twilio
	posts *delivertest.Salesforce
	takes map[string]*atomic.Int64 // by channel, in nanoseconds
}

func newThreeWays() *threeWays {
	w := &threeWays{
		mail: delivertest.NewSendGrid("SG.bench"), texts: delivertest.NewTwilio("AC00000000000000000000000000000000", "bench-token"),
		posts: delivertest.NewSalesforce("bench", "bench-secret", nil),
		takes: map[string]*atomic.Int64{deliver.Email: {}, deliver.SMS: {}, deliver.Chatter: {}},
	}
	for _, takes := range w.takes {
		takes.Store(int64(quickWait))
	}
	late := func(channel string) delivertest.Fault {
		return delivertest.Fault{Late: time.Duration(w.takes[channel].Load())}
	}
	w.mail.Fail(func(int, delivertest.Mail) delivertest.Fault { return late(deliver.Email) })
	w.texts.Fail(func(int, delivertest.Text) delivertest.Fault { return late(deliver.SMS) })
	w.posts.Fail(func(int, delivertest.Post) delivertest.Fault { return late(deliver.Chatter) })
	return w
}

func (w *threeWays) close() {
	w.mail.Close()
	w.texts.Close()
	w.posts.Close()
}

// env leads the product to the three.
func (w *threeWays) env() []string {
	return []string{
		"SENDGRID_API_KEY=" + w.mail.Key, "SENDGRID_BASE_URL=" + w.mail.URL,
		"TWILIO_ACCOUNT_SID=" + w.texts.SID, "TWILIO_AUTH_TOKEN=" + w.texts.Token, "TWILIO_BASE_URL=" + w.texts.URL,
		"SALESFORCE_CLIENT_ID=" + w.posts.ClientID, "SALESFORCE_CLIENT_SECRET=" + w.posts.Secret,
		"SALESFORCE_LOGIN_URL=" + w.posts.URL, "SALESFORCE_INSTANCE_URL=" + w.posts.URL,
	}
}

// taken is how many messages the providers have had.
func (w *threeWays) taken() int {
	return len(w.mail.Mails()) + len(w.texts.Texts()) + len(w.posts.Posts())
}

func takeSlowProvider(ctx context.Context, b *bench) error {
	s, err := b.stage(ctx, bed.Options{Measure: true})
	if err != nil {
		return err
	}
	defer s.Close()
	w := newThreeWays()
	defer w.close()
	s.env = w.env()
	if err := s.tidy(ctx); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	defer s.stop()
	if _, err := s.tell(ctx, w, "", b.size(60, 5)); err != nil { // warms up
		return err
	}
	for range b.rounds {
		for _, slow := range []string{deliver.SMS, deliver.Email, deliver.Chatter} {
			b.pace()
			if err := takeBeside(ctx, s, w, slow); err != nil {
				return err
			}
		}
	}
	return s.audit(ctx)
}

// takeBeside takes the times of the other channels, first with all of them quick, then with one that is slow.
func takeBeside(ctx context.Context, s *stage, w *threeWays, slow string) error {
	b, n := s.bench, s.bench.size(250, 20)
	alone, err := s.tell(ctx, w, "", n)
	if err != nil {
		return err
	}
	beside, err := s.tell(ctx, w, slow, n)
	if err != nil {
		return err
	}
	for _, ch := range []string{deliver.Email, deliver.SMS, deliver.Chatter} {
		if ch == slow {
			continue
		}
		for _, from := range []string{"due", "call"} {
			before, after := share(alone[ch][from], 0.95), share(beside[ch][from], 0.95)
			what := fmt.Sprintf("%s, %s to sent p95", ch, from)
			b.add(what+", alone", "ms", before)
			b.add(what+", beside slow "+slow, "ms", after)
			b.add(what+", beside slow "+slow+", times alone", "", after/before, atMost(1.2))
			b.say("%s: %.0f ms alone, %.0f ms beside slow %s", what, before, after, slow)
		}
	}
	return nil
}

// told is how long the messages of a load took, sorted, by channel and by what is counted from: when they were due, or when their
// call was taken.
type told map[string]map[string][]time.Duration

// tell lets n calls arrive while one channel's provider is slow ("": none is), and gives the times of the others. When these have
// all they are owed the slow one is quick again, so that what has piled up goes out.
func (s *stage) tell(ctx context.Context, w *threeWays, slow string, n int) (told, error) {
	before := w.taken()
	if slow != "" {
		w.takes[slow].Store(int64(s.bench.size(int(slowWait), int(quickWait)*10)))
		defer w.takes[slow].Store(int64(quickWait))
	}
	run := s.newRun("told")
	out := newSender(s.Bed, ways).open(ctx, calls(run, n, turns), waysPerS, nil)
	others, err := s.untilSent(ctx, run, slow, 2*n)
	if err != nil {
		return nil, err
	}
	if slow != "" {
		w.takes[slow].Store(int64(quickWait))
	}
	sent, err := s.untilSent(ctx, run, "", 3*n)
	if err != nil {
		return nil, err
	}
	s.bench.add("calls not taken", "", float64(out.refused), law)
	s.bench.add("messages lost", "", float64(3*n-sent), law)
	s.bench.add("messages doubled", "", float64(w.taken()-before-3*n), law)
	if others < 2*n {
		return nil, fmt.Errorf("of %d messages of the other channels %d were sent in %s", 2*n, others, patience)
	}
	return s.times(ctx, run)
}

// untilSent waits until so many messages of a run are sent, without those of one channel.
func (s *stage) untilSent(ctx context.Context, run, without string, want int) (n int, err error) {
	for until := time.Now().Add(patience); n < want && time.Now().Before(until) && ctx.Err() == nil; {
		n, err = s.checker.Count(ctx, `SELECT count(*) FROM deliveries AS d JOIN conversations AS c ON c.id = d.conversation_id
			WHERE c.external_id LIKE $1 AND d.channel <> $2 AND d.state = 'sent'`, run+"-%", without)
		if err != nil {
			return n, fmt.Errorf("count what is sent: %w", err)
		}
		if n < want {
			bed.Wait(ctx, 50*time.Millisecond)
		}
	}
	return n, ctx.Err()
}

// times reads how long the messages of a run took, from the ledger: a receipt is written when the provider has answered.
func (s *stage) times(ctx context.Context, run string) (told, error) {
	rows, err := s.checker.Pool().Query(ctx, `SELECT d.channel, extract(epoch FROM a.finished_at - d.due_at)::float8, extract(epoch FROM a.finished_at - c.accepted_at)::float8
		FROM deliveries AS d JOIN conversations AS c ON c.id = d.conversation_id JOIN attempts AS a ON a.delivery_id = d.id AND a.state = 'sent'
		WHERE c.external_id LIKE $1`, run+"-%")
	if err != nil {
		return nil, fmt.Errorf("read the times: %w", err)
	}
	defer rows.Close()
	all := told{}
	for rows.Next() {
		var channel string
		var due, call float64
		if err := rows.Scan(&channel, &due, &call); err != nil {
			return nil, fmt.Errorf("read the times: %w", err)
		}
		if all[channel] == nil {
			all[channel] = map[string][]time.Duration{}
		}
		for from, s := range map[string]float64{"due": due, "call": call} {
			all[channel][from] = append(all[channel][from], time.Duration(s*float64(time.Second)))
		}
	}
	for _, of := range all {
		for _, times := range of {
			slices.Sort(times)
		}
	}
	return all, rows.Err()
}
