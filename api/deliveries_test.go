package api_test

import "testing"

// TestAMessageIsReadHoweverManyFollowed: a call that was replayed often has more of them than its story tells.
func TestAMessageIsReadHoweverManyFollowed(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.call("call-1", h.key)
	unknown := h.ask("GET", "/v1/conversations/"+id, h.key, nil).in("every-call", "email", "unknown")
	_, err := h.store.Pool().Exec(t.Context(), `INSERT INTO deliveries (id, account_id, conversation_id, run, automation, action, recipient, channel, customer, state, reason, detail, test, content)
		SELECT gen_random_uuid(), d.account_id, d.conversation_id, n, d.automation, d.action, d.recipient, d.channel, d.customer, 'sent', '', '', true, d.content
		FROM deliveries AS d, generate_series(2, 601) AS n WHERE d.id = $1`, unknown)
	h.must(err)
	if one := h.ask("GET", "/v1/deliveries/"+unknown, h.key, nil).want(200); one.text("delivery", "state") != "unknown" || one.text("message", "subject") != "Lost" ||
		one.text("attempts", "0", "class") != "timeout" {
		t.Errorf("it reads %s", one.raw)
	}
	h.ask("POST", "/v1/deliveries/"+unknown+"/settle", h.key, map[string]any{"as": "sent"}).want(200)
	if one := h.ask("GET", "/v1/deliveries/"+unknown, h.key, nil).want(200); one.text("settled", "0", "as") != "sent" {
		t.Errorf("settled it reads %s", one.raw)
	}
	h.ask("GET", "/v1/deliveries/"+unknown, h.other, nil).want(404)
}
