package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aftercall/internal/store"
)

// withoutAccount are the queries that may leave the account out: sweeps over all accounts, and look-ups by an id that is
// ours and unique everywhere.
var withoutAccount = []string{
	// by id
	"ChosenAnswers", "HoldsClaim", "NextDue",
	// sweeps, leases, sums
	"Beat", "Leave", "TrySweepLock", "LapsedWorkers", "DropWorkers", "ExpireDeliveries",
	// the installation's own: where its data lives
	"WhichServer", "WhichTable", "Home", "LockHome", "SetHome", "LiveWorkers", "DropLeases", "MarkUndecided",
	"UnfinishedConversations",
	"AuditTally", "AuditDeliveries", "AuditOwnerless", "AuditConversationWithoutEvent", "AuditDecidedButWaiting", "AuditWaitingForNothing",
	"AuditDecidedBeforeItsPlan", "AuditActionsWithoutDelivery", "AuditDeliveryWithoutDecision", "AuditSentWithoutReceipt",
	"AuditReceiptWithoutSent", "AuditSentTwice", "AuditUnknownWithoutAttempt", "AuditAttemptsMiscounted", "AuditDoubledKey",
	"AuditResendOfAnotherKey", "AuditHeldWithoutReason", "AuditTaskWithoutRow", "AuditRowWithoutTask", "AuditAlertMissing",
	"AuditAlertOfNothing", "AuditCaptureMissing", "AuditCaptureOfSent",
}

var queryName = regexp.MustCompile(`(?m)^-- name: (\w+) :\w+$`)

// queries reads the query files: name → SQL without comments.
func queries(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("queries/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no query files: %v", err)
	}
	found := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		names := queryName.FindAllStringSubmatchIndex(string(b), -1)
		for n, at := range names {
			end := len(b)
			if n+1 < len(names) {
				end = names[n+1][0]
			}
			var sql strings.Builder
			for line := range strings.Lines(string(b[at[1]:end])) {
				code, _, _ := strings.Cut(line, "--")
				sql.WriteString(code + "\n")
			}
			found[string(b[at[2]:at[3]])] = sql.String()
		}
	}
	return found
}

func TestEveryQueryKnowsTheAccount(t *testing.T) {
	t.Parallel()
	all := queries(t)
	for name, sql := range all {
		mentions := strings.Contains(sql, "account_id")
		if excepted := slices.Contains(withoutAccount, name); mentions == excepted {
			t.Errorf("%s: mentions account_id %v, excepted %v", name, mentions, excepted)
		}
	}
	for _, name := range withoutAccount {
		if _, ok := all[name]; !ok {
			t.Errorf("%s is excepted but does not exist", name)
		}
	}
}

func TestEveryTableHasAnAccount(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	rows, err := h.Pool().Query(t.Context(), `SELECT t.table_name,
		EXISTS (SELECT 1 FROM information_schema.columns c WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name
			AND c.column_name = 'account_id' AND c.is_nullable = 'NO')
		FROM information_schema.tables t
		WHERE t.table_schema = 'public' AND t.table_name NOT LIKE 'river%' AND t.table_name <> 'goose_db_version'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	tables := 0
	for rows.Next() {
		var name string
		var has bool
		if err := rows.Scan(&name, &has); err != nil {
			t.Fatal(err)
		}
		tables++
		if excepted := name == "accounts" || name == "workers" || name == "homes"; has == excepted {
			t.Errorf("%s: account_id %v", name, has)
		}
	}
	if rows.Err() != nil || tables < 15 {
		t.Errorf("%d tables, %v", tables, rows.Err())
	}
}
