package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

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
		got, err := r.Unread(ctx, of.PersonID, "", "", 10)
		n, countErr := r.CountUnread(ctx, of.PersonID)
		if d := cmp.Diff(want, texts(got)); d != "" || err != nil || countErr != nil || n != len(want) {
			t.Errorf("unread of %s: %d, %v, %v %s", of.Name, n, err, countErr, d)
		}
	}
	all, next, err := r.Inbox(ctx, ann.PersonID, "", "", 3)
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
	if after, err := r.Unread(ctx, bob.PersonID, "", all[1].ID, 10); err != nil || !cmp.Equal(texts(after), []string{"alert 3"}) {
		t.Errorf("after %s: %v, %v", all[1].Text, texts(after), err)
	}
	all, _, err = r.Inbox(ctx, ann.PersonID, "acme", "", 3)
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
	n, err := h.CountUnread(t.Context(), "")
	if err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	h.exec(t, "UPDATE alerts SET id = $1", uuid.Max.String())
	if n, err = h.CountUnread(t.Context(), ""); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	if err := h.ReadAlerts(t.Context(), store.Actor{}, store.Every(), "x"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	other := h.Within(store.Only("umbra"))
	if _, err := other.Alert(t.Context(), uuid.Max.String()); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if a, err := h.Alert(t.Context(), uuid.Max.String()); err != nil || a.Text != "seen" {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestUnreadIsLookedForAmongTheNewest: by everybody on every page, so it walks two indexes from their new ends.
func TestUnreadIsLookedForAmongTheNewest(t *testing.T) {
	t.Parallel()
	h := filled(t)
	for _, name := range []string{
		"UnreadAlertIDs, alerts_by_account, id >", "UnreadAlertIDs, alert_reads_by_person, alert_id >",
		"UnreadAlerts, alerts_by_account, id >", "UnreadAlerts, alert_reads_by_person, alert_id >",
		"InboxAlerts, alerts_by_account, id <", "InboxAlerts, alerts_pkey, id =", "InboxAlerts, alert_reads_(?:pkey|by_person), alert_id =",
	} {
		h.boundBy(t, name, func(r *store.Reader) error {
			_, err := r.CountUnread(t.Context(), "a")
			if err == nil {
				_, err = r.Unread(t.Context(), "a", "", "", 10)
			}
			if err == nil {
				_, _, err = r.Inbox(t.Context(), "a", "", "", 10)
			}
			return err
		})
	}
}
