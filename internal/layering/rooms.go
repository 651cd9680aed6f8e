package layering

// Aftercall is this module's order. Levels are those of docs/adr/0001-house-and-levels.md.
func Aftercall() House {
	return House{Rooms: rooms(), Libraries: libraries(), Banned: []string{
		"base", "common", "helper", "helpers", "lib", "manager", "misc", "models", "service", "shared", "types", "util", "utils",
	}}
}

// rooms is one table with a line or two for each room, which is why it is left whole.
func rooms() []Room {
	return []Room{
		{Path: "cmd/aftercall", Level: 8},

		{Path: "api", Level: 7},
		{Path: "callbacks", Level: 7},
		{Path: "dashboard", Level: 7},
		{Path: "ingest", Level: 7},

		{Path: "ops", Level: 6},
		{Path: "change", Level: 6},
		{Path: "rehearsal", Level: 6},

		{Path: "worker", Level: 5},
		{Path: "people", Level: 5},
		{Path: "examples", Level: 5}, // files only; its tests hold them against automation

		{Path: "automation", Level: 4},
		{Path: "internal/store", Level: 4},

		{Path: "triggers", Level: 3},
		{Path: "recipients", Level: 3},
		{Path: "variables", Level: 3},
		{Path: "templates", Level: 3},
		{Path: "tasks", Level: 3},
		{Path: "deliver/capture", Level: 3},
		{Path: "deliver/email", Level: 4}, // above deliver/wire, as every channel that speaks HTTP
		{Path: "deliver/push", Level: 4},  // likewise
		{Path: "deliver/sms", Level: 4},
		{Path: "deliver/chatter", Level: 4},
		{Path: "deliver/wire", Level: 3},
		{Path: "deliver/cti", Level: 3},
		{Path: "deliver/teamalert", Level: 3},
		{Path: "automation/starters", Level: 3},
		{Path: "internal/store/db", Level: 3}, // generated; only internal/store imports it
		{Path: "internal/llm/simulated", Level: 3},

		{Path: "deliver", Level: 2},
		{Path: "interview", Level: 2},
		{Path: "internal/llm/openai", Level: 2},

		{Path: "internal/webaddress", Level: 0}, // imports nothing of ours
		{Path: "internal/openapi", Level: 0},    // likewise
		{Path: "internal/signals", Level: 0},    // likewise: whoever knows that something happened may say so

		{Path: "conversation", Level: 1},
		{Path: "reason", Level: 1},
		{Path: "migrations", Level: 1},
		{Path: "internal/llm", Level: 1},
		{Path: "internal/postgres", Level: 1},
		{Path: "internal/layering", Level: 1},

		{Path: "deliver/delivertest", Level: 3, Tests: true},
		{Path: "people/peopletest", Level: 1, Tests: true},
		{Path: "internal/openapi/openapitest", Level: 1, Tests: true},
		{Path: "internal/chromium", Level: 1, Tests: true},
		{Path: "internal/signals/collector", Level: 1, Tests: true},
		{Path: "internal/postgres/pgtest", Level: 2, Tests: true},
		{Path: "internal/postgres/withpg", Level: 2, Tests: true}, // a command: nobody can import it
		{Path: "internal/licences", Level: 1, Tests: true},        // likewise

		// The chaos runs drive the product from outside, as processes; see docs/adr/0008.
		{Path: "internal/chaos", Level: 8, Tests: true}, // a command
		{Path: "internal/chaos/bed", Level: 2, Tests: true},
		{Path: "internal/chaos/checker", Level: 2, Tests: true},
		{Path: "internal/chaos/corpus", Level: 3, Tests: true},
		{Path: "internal/chaos/fake", Level: 4, Tests: true},      // a command
		{Path: "internal/chaos/guard", Level: 4, Tests: true},     // a command
		{Path: "internal/chaos/operators", Level: 7, Tests: true}, // a command

		{Path: "internal/bench", Level: 8, Tests: true},       // a command; it measures on the beds of the chaos runs
		{Path: "internal/conformance", Level: 8, Tests: true}, // a command that stands on the same bed
		{Path: "internal/big", Level: 8, Tests: true},         // a command; it times the product's own pages
	}
}

// libraries says where a library may be imported. One that is not here may be imported anywhere.
func libraries() []Library {
	queue := []string{"worker", "ops", "ingest", "dashboard", "cmd/aftercall"}
	database := []string{
		"internal/store", "internal/store/db", "internal/postgres", "internal/postgres/pgtest", "migrations",
		"internal/chaos/bed", "internal/chaos/checker", "internal/chaos", "internal/bench", // which must not read through the product's own queries
		"internal/big", // which copies
	}
	return []Library{
		{Path: "github.com/sashabaranov/go-openai", Rooms: []string{"internal/llm/openai"}},
		{Path: "github.com/aymerick/raymond", Rooms: []string{"templates"}},
		{Path: "github.com/sendgrid", Rooms: []string{"deliver/email"}},
		{Path: "github.com/twilio", Rooms: []string{"deliver/sms"}},
		{Path: "github.com/wneessen/go-mail", Rooms: []string{"deliver/email"}},
		{Path: "github.com/SherClockHolmes/webpush-go", Rooms: []string{"deliver/push"}},

		{Path: "github.com/coreos/go-oidc", Rooms: []string{"people"}},
		{Path: "golang.org/x/oauth2", Rooms: []string{"people"}},
		{Path: "golang.org/x/crypto", Rooms: []string{"people", "people/peopletest"}},
		// What is measured is one list, and what a room follows is told in its own words (docs/adr/0013).
		{Path: "github.com/prometheus", Rooms: []string{"internal/signals"}, Tests: true},
		{Path: "go.opentelemetry.io", Rooms: []string{"internal/signals", "internal/signals/collector"}, Tests: true},

		// River's own schema is migrated with ours; everything else of it belongs to those who insert, work or show jobs.
		{Path: "github.com/riverqueue/river/rivermigrate", Rooms: []string{"migrations"}, Tests: true},
		{Path: "github.com/riverqueue/river/riverdriver", Rooms: append([]string{"migrations", "internal/bench"}, queue...), Tests: true},
		{Path: "github.com/riverqueue", Rooms: append([]string{"internal/bench"}, queue...), Tests: true},
		{Path: "riverqueue.com/riverui", Rooms: []string{"dashboard"}},

		// A job is inserted in the transaction of the data it belongs to, so the queue's rooms need the type pgx.Tx (and
		// nothing else of the package, see source.go). Tests may look into the database they are given.
		{Path: "github.com/jackc/pgx/v5", Exact: true, Rooms: append(database, queue...), Tests: true},
		{Path: "github.com/jackc/pgx/v5", Rooms: database, Tests: true},
		{Path: "github.com/jackc", Rooms: database, Tests: true},
		{Path: "database/sql", Exact: true, Rooms: []string{"migrations"}},
		{Path: "github.com/pressly/goose", Rooms: []string{"migrations"}},
		{Path: "github.com/google/licensecheck", Rooms: []string{"internal/licences"}},
		{Path: "github.com/CycloneDX/cyclonedx-go", Rooms: []string{"internal/licences"}},
		{Path: "github.com/lib/pq"},
		{Path: "github.com/mattn/go-sqlite3"},
		{Path: "modernc.org/sqlite"},
	}
}

// sqlRooms may hold SQL in Go. The store's own queries are in .sql files, its package is here for the statements sqlc
// cannot express (LISTEN, advisory locks).
func sqlRooms() []string {
	return []string{
		"internal/store", "internal/store/db", "internal/postgres", "internal/postgres/pgtest", "migrations",
		"internal/chaos", "internal/chaos/bed", "internal/chaos/checker", "internal/bench", "internal/conformance", "internal/big",
		"deliver/chatter", // asks Salesforce in its own SOQL
	}
}

// txOnly are the rooms that may use nothing of pgx but the type of a transaction.
func txOnly() []string { return []string{"worker", "ops", "ingest", "dashboard", "cmd/aftercall"} }
