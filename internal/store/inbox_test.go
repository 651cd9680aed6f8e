package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aftercall/deliver"
	"aftercall/internal/store"
)

// texts are the texts of alerts, with a mark on those that are read.
func texts(alerts []store.InboxAlert) (all []string) {
	for _, a := range alerts {
		if a.Read {
			a.Text += " (read)"
		}
		all = append(all, a.Text)
	}
	return all
}

func TestEverybodyReadsTheirOwnAlerts(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	for n, d := range h.decided(t, "c1", 4).Deliveries {
		h.alert(t, d.ID, fmt.Sprint("alert ", n))
	}
	ctx, r := t.Context(), h.Within(store.Only("acme"))
	ann, bob := store.Actor{PersonID: uuid.NewString(), Name: "ann"}, store.Actor{PersonID: uuid.NewString(), Name: "bob"}
	unread := func(of store.Actor, want ...string) {
		t.Helper()
		got, err := r.Unread(ctx, store.Teammate{ID: of.PersonID}, "", "", 10)
		n, countErr := r.CountUnread(ctx, store.Teammate{ID: of.PersonID})
		if d := cmp.Diff(want, texts(got)); d != "" || err != nil || countErr != nil || n != len(want) {
			t.Errorf("unread of %s: %d, %v, %v %s", of.Name, n, err, countErr, d)
		}
	}
	all, next, err := r.Inbox(ctx, store.Teammate{ID: ann.PersonID}, "", "", 3)
	if d := cmp.Diff([]string{"alert 3", "alert 2", "alert 1"}, texts(all)); d != "" || err != nil || next != all[2].ID {
		t.Fatalf("%v %s", err, d)
	}
	unread(ann, "alert 3", "alert 2", "alert 1", "alert 0")

	for range 2 { // read is read
		if err := h.ReadAlert(ctx, ann, "acme", all[1].ID); err != nil {
			t.Fatal(err)
		}
	}
	unread(ann, "alert 3", "alert 1", "alert 0")
	unread(bob, "alert 3", "alert 2", "alert 1", "alert 0")
	if err := h.ReadAlert(ctx, ann, "umbra", all[0].ID); err != nil {
		t.Error(err)
	}
	unread(ann, "alert 3", "alert 1", "alert 0")

	for range 2 {
		if err := h.ReadAlerts(ctx, ann, store.Only("acme", "umbra"), all[1].ID); err != nil {
			t.Fatal(err)
		}
	}
	unread(ann, "alert 3")
	if err := h.ReadAlerts(ctx, ann, store.Only("acme"), all[2].ID); err != nil { // the mark does not go back
		t.Fatal(err)
	}
	unread(ann, "alert 3")
	if after, err := r.Unread(ctx, store.Teammate{ID: bob.PersonID}, "", all[1].ID, 10); err != nil || !cmp.Equal(texts(after), []string{"alert 3"}) {
		t.Errorf("after %s: %v, %v", all[1].Text, texts(after), err)
	}
	all, _, err = r.Inbox(ctx, store.Teammate{ID: ann.PersonID}, "acme", "", 3)
	if d := cmp.Diff([]string{"alert 3", "alert 2 (read)", "alert 1 (read)"}, texts(all)); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
	acts, _, err := r.Acts(ctx, "acme", "", 10)
	if err != nil || len(acts) != 2 || acts[0].What != store.ActAlertsRead || acts[0].Detail["all"] == "" || acts[1].Target != all[1].ID {
		t.Errorf("%+v, %v", acts, err)
	}
}

// TestWhatIsStillToComeIsNotRead: a mark in the future would hide every alert from then on.
func TestWhatIsStillToComeIsNotRead(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	d := h.decided(t, "c1", 1).Deliveries[0]
	h.alert(t, d.ID, "seen")
	if err := h.ReadAlerts(t.Context(), store.Actor{}, store.Every(), uuid.Max.String()); err != nil {
		t.Fatal(err)
	}
	n, err := h.CountUnread(t.Context(), store.Teammate{})
	if err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	h.exec(t, "UPDATE alerts SET id = $1", uuid.Max.String())
	if n, err = h.CountUnread(t.Context(), store.Teammate{}); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	if err := h.ReadAlerts(t.Context(), store.Actor{}, store.Every(), "x"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	other := h.Within(store.Only("umbra"))
	if _, err := other.Alert(t.Context(), store.Teammate{}, uuid.Max.String()); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if a, err := h.Alert(t.Context(), store.Teammate{}, uuid.Max.String()); err != nil || a.Text != "seen" {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestAnAlertIsForItsAudience: of two people each reads what is to everybody and to them, in each account by the keys they have
// there; who reads the whole reads all of it.
func TestAnAlertIsForItsAudience(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	ids := h.decided(t, "c1", 4).Deliveries
	for n, to := range []string{"maria", "tom", "all", "maria"} {
		m := deliver.Message{AccountID: "acme", DeliveryID: ids[n].ID, Text: fmt.Sprint("to ", to, " ", n), To: []deliver.Address{{Address: to}}}
		if err := h.PostAlert(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	r := h.Within(store.Only("acme"))
	all, _, err := r.Inbox(t.Context(), store.Teammate{Whole: true}, "", "", 10)
	if err != nil || len(all) != 4 {
		t.Fatalf("%v, %v", texts(all), err)
	}
	for name, who := range map[string]struct {
		of   store.Teammate
		want []string
	}{
		"maria":              {store.Teammate{ID: "m", Keys: map[string][]string{"acme": {"person:maria"}}}, []string{"to maria 3", "to all 2", "to maria 0"}},
		"tom":                {store.Teammate{ID: "t", Keys: map[string][]string{"acme": {"person:tom"}}}, []string{"to all 2", "to tom 1"}},
		"both":               {store.Teammate{ID: "b", Keys: map[string][]string{"acme": {"person:tom", "person:maria"}}}, []string{"to maria 3", "to all 2", "to tom 1", "to maria 0"}},
		"maria of elsewhere": {store.Teammate{ID: "e", Keys: map[string][]string{"umbra": {"person:maria"}}}, []string{"to all 2"}},
		"nobody":             {store.Teammate{ID: "n"}, []string{"to all 2"}},
		"the whole":          {store.Teammate{ID: "w", Whole: true}, []string{"to maria 3", "to all 2", "to tom 1", "to maria 0"}},
	} {
		got, _, err := r.Inbox(t.Context(), who.of, "", "", 10)
		unread, unreadErr := r.Unread(t.Context(), who.of, "acme", "", 10)
		n, countErr := r.CountUnread(t.Context(), who.of)
		if err := errors.Join(err, unreadErr, countErr); err != nil || n != len(who.want) {
			t.Errorf("%s: %d unread, %v", name, n, err)
		}
		if d := cmp.Diff([][]string{who.want, who.want}, [][]string{texts(got), texts(unread)}); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		for _, a := range all {
			_, err := r.Alert(t.Context(), who.of, a.ID)
			if seen := slices.Contains(who.want, a.Text); seen != (err == nil) || !seen && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s looks at %q: %v", name, a.Text, err)
			}
		}
	}
}

// TestUnreadIsLookedForAmongTheNewest: by everybody on every page, so it walks indexes from their new ends, and asks of each by
// its key whether it was read.
func TestUnreadIsLookedForAmongTheNewest(t *testing.T) {
	t.Parallel()
	h := filled(t)
	maria := store.Teammate{ID: "a", Keys: map[string][]string{"acme": {"person:maria"}}}
	for _, who := range []store.Teammate{maria, {ID: "a", Whole: true}} {
		index := map[bool]string{false: "alerts_by_audience", true: "alerts_by_account"}[who.Whole]
		for _, name := range []string{
			"UnreadAlertIDs, " + index + ", id >", "UnreadAlertIDs, alert_reads_(?:pkey|by_person), alert_id =",
			"UnreadAlerts, " + index + ", id >", "UnreadAlerts, alert_reads_(?:pkey|by_person), alert_id =",
			"InboxAlerts, " + index + ", id <", "InboxAlerts, alerts_pkey, id =", "InboxAlerts, alert_reads_(?:pkey|by_person), alert_id =",
		} {
			h.boundBy(t, name, func(r *store.Reader) error {
				_, err := r.CountUnread(t.Context(), who)
				if err == nil {
					_, err = r.Unread(t.Context(), who, "", "", 10)
				}
				if err == nil {
					_, _, err = r.Inbox(t.Context(), who, "", "", 10)
				}
				return err
			})
		}
	}
}
