package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store"
)

// withoutAccount are the queries that may leave the account out: sweeps over all accounts, and look-ups by an id that is
// ours and unique everywhere.
var withoutAccount = []string{
	// by id
	"LockReported", "ChosenAnswers", "HoldsClaim", "NextDue", "EraseJobs",
	// sweeps, leases, sums
	"Beat", "Leave", "LockCounts", "ForgetCounted", "ForgetWaits", "VainWaits", "WaitsAfter", "LastOfCalls", "ErasuresWithoutJob", "TrySweepLock", "LapsedWorkers", "DropWorkers", "ExpireDeliveries", "QueueVitals", "UndecidedVitals", "LedgerVitals",
	"QueueStates", "QueueFaults", "WorkersNow",
	// the installation's own: where its data lives
	"WhichServer", "WhichTable", "Home", "LockHome", "SetHome", "LiveWorkers", "DropLeases", "MarkUndecided",
	"UnfinishedConversations", "BreakOffRuns", "BreakOffBulks", "ErasureKey",
	// what it tells names the account
	"Tell",
	// people sign in to the installation, not to an account
	"AddPerson", "BindPerson", "SetPassword", "ReplacePassword", "DisablePerson", "OpenSession", "SeeSession", "OfferToken", "TakeToken", "AgeTokens",
	"EndSession", "EndSessions", "DropPushEndpoint", "AddPushSubscription", "DropOldestPushes", "DropPushesOf", "DropPushSubscription", "CountPushSubscriptions", "DropEndedSessions", "TrySignIn", "DropTries", "DropOldAnswers",
	"AuditTally", "AuditDeliveries", "AuditConversationWithoutEvent", "AuditDecidedButWaiting", "AuditWaitingForNothing",
	"AuditDecidedBeforeItsPlan", "AuditActionsWithoutDelivery", "AuditDeliveryWithoutDecision", "AuditSentWithoutReceipt",
	"AuditReceiptWithoutSent", "AuditReportIgnored", "AuditSentTwice", "AuditUnknownWithoutAttempt", "AuditAttemptsMiscounted", "AuditDoubledKey",
	"AuditHeldWithoutReason", "AuditTaskWithoutRow", "AuditRowWithoutTask", "AuditAlertMissing",
	"AuditAlertOfNothing", "AuditCaptureMissing", "AuditCaptureOfSent", "AuditSentInTwoRuns", "AuditSettledByNobody",
	"AuditCancelledByNobody", "AuditTakenOverByNothing", "AuditRunWithoutDecision", "AuditSandboxLeaked", "AuditReviewSettledByNothing",
	"AuditBulkMiscounted", "AuditErasedAndThere", "AuditErasedAndForgotten", "AuditErasureMiscounted",
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
	installation := []string{"accounts", "workers", "homes", "people", "sessions", "sign_in_tries", "push_subscriptions", "erasure_keys"}
	tables := 0
	for rows.Next() {
		var name string
		var has bool
		if err := rows.Scan(&name, &has); err != nil {
			t.Fatal(err)
		}
		tables++
		if has == slices.Contains(installation, name) {
			t.Errorf("%s: account_id %v", name, has)
		}
	}
	if rows.Err() != nil || tables < 15 {
		t.Errorf("%d tables, %v", tables, rows.Err())
	}
}

// TestEveryTableIsGuarded: a table with an account's rows has a policy, and what has none cannot be read by the pages at all.
func TestEveryTableIsGuarded(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	rows, err := h.Pool().Query(t.Context(), `SELECT c.relname,
		c.relrowsecurity AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'own_accounts'),
		has_any_column_privilege('aftercall_pages', c.oid, 'SELECT'),
		has_any_column_privilege('aftercall_pages', c.oid, 'INSERT, UPDATE') OR has_table_privilege('aftercall_pages', c.oid, 'DELETE, TRUNCATE')
		FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	guarded := 0
	for rows.Next() {
		var name string
		var policy, reads, writes bool
		if err := rows.Scan(&name, &policy, &reads, &writes); err != nil {
			t.Fatal(err)
		}
		if policy {
			guarded++
		}
		installation := slices.Contains([]string{"workers", "homes", "people", "roles", "sessions", "sign_in_tries", "push_subscriptions", "erasure_keys", "goose_db_version"}, name) ||
			strings.HasPrefix(name, "river")
		if policy == installation || reads != policy || writes {
			t.Errorf("%s: guarded %v, the pages may read it %v, write it %v", name, policy, reads, writes)
		}
	}
	if rows.Err() != nil || guarded < 20 {
		t.Errorf("%d guarded tables, %v", guarded, rows.Err())
	}
}

// TestAHashIsNotForPages: the pages list API keys and never see a hash.
func TestAHashIsNotForPages(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	var reads bool
	if err := h.Pool().QueryRow(t.Context(), "SELECT has_column_privilege('aftercall_pages', 'api_keys', 'hash', 'SELECT')").Scan(&reads); err != nil || reads {
		t.Errorf("the pages read hashes of keys: %v, %v", reads, err)
	}
}

// TestEveryTableOfACallIsErased: whoever adds a table whose rows belong to a call has them erased with it.
func TestEveryTableOfACallIsErased(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	rows, err := h.Pool().Query(t.Context(), `SELECT DISTINCT table_name::text FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name NOT LIKE 'erased%'
		  AND column_name IN ('conversation_id', 'event_id', 'delivery_id', 'task_id', 'alert_id', 'captured_id', 'interview_id', 'call_id')`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 10 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	erases := queries(t)["EraseConversations"]
	for _, name := range append(tables, "conversations") {
		if !regexp.MustCompile(`(DELETE FROM|UPDATE) ` + name + `\b`).MatchString(erases) {
			t.Errorf("%s has rows that belong to a call, and they are not erased with it", name)
		}
	}
}
