package dashboard

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/worker"
)

// usagePath is where it stands what the model costs.
const usagePath = "/usage"

// usagePage is the view of usage.html.
type usagePage struct {
	Account, AccountName string
	Accounts             []choice
	Spans                []choice // of time
	Days                 int
	Priced               bool
	Currency             string
	Budget               *budgetView
	Total                usageRow
	Chart                chart
	ByDay                []usageRow
	ByAutomation         []usageRow
	ByModel              []usageRow
	ByAccount            []usageRow // for those who see several
}

// usageRow is one line of a table of tokens.
type usageRow struct {
	Path, Label     string
	Note            string
	In, Cached, Out string
	Share           string // of the tokens in that came from the cache
	Cost            string // "": no price is set
	tokens          int
}

// budgetView is an account's budget for today.
type budgetView struct {
	Limit, Spent, Reserved, SetBy, Day string
	Share                              string
	SpentWidth, ReservedWidth          int // of 100
	Full                               bool
}

// usageSpans are the times that the page looks back on.
func usageSpans(days int) []choice {
	var all []choice
	for _, n := range []int{7, 30, 90} {
		all = append(all, choice{strconv.Itoa(n), fmt.Sprintf("%d days", n), n == days})
	}
	return all
}

// usage is GET /usage: what an account's calls cost. The address holds the whole state: account and days.
func (d *Dashboard) usage(r *http.Request) (answer, error) {
	days := 30
	if n, err := strconv.Atoi(r.URL.Query().Get("days")); err == nil && slices.ContainsFunc(usageSpans(n), func(c choice) bool { return c.Chosen }) {
		days = n
	}
	account, accounts, err := d.chosenAccount(r)
	if err != nil {
		return answer{}, err
	}
	view := usagePage{Accounts: accounts, Spans: usageSpans(days), Days: days}
	if account != "" {
		if err := d.fillUsage(r, &view, account); err != nil {
			return answer{}, err
		}
	}
	return answer{Template: "usage", Title: "Usage", Section: "usage", View: view}, nil
}

func (d *Dashboard) fillUsage(r *http.Request, view *usagePage, account string) error {
	n, reader, now := d.accountNames(account), d.reader(r, people.Look), d.now()
	since := firstDay(now, n.zone(), view.Days)
	used, err := reader.Usage(r.Context(), account, since, n.zone())
	if err != nil {
		return err
	}
	view.lay(account, n, used, d.prices, now)
	if len(view.Accounts) > 0 {
		all, err := reader.UsageByAccount(r.Context(), since)
		if err != nil {
			return err
		}
		view.ByAccount = usageRows(all, d.prices, func(u store.Usage) string { return u.AccountID }, func(row *usageRow) {
			row.Path = address(usagePath, "account", row.Label, "days", strconv.Itoa(view.Days))
			row.Label = d.accountNames(row.Label).account(row.Label)
		})
	}
	if n.rev == nil {
		return nil
	}
	b := worker.BudgetOf(n.rev, d.tokensPerDay)
	if b.Tokens <= 0 {
		return nil
	}
	at, err := reader.Spent(r.Context(), account, b.Day(now))
	if err != nil {
		return err
	}
	view.Budget = budgetOf(b, at, now)
	return nil
}

// lay lays out what was used: by day, automation and model.
func (p *usagePage) lay(account string, n names, used []store.Usage, prices Prices, now time.Time) {
	p.Account, p.AccountName, p.Priced, p.Currency = account, n.account(account), !prices.None(), prices.Currency
	total := usageRows(used, prices, func(store.Usage) string { return "All" }, nil)
	p.Total = usageRow{Label: "All", In: "0", Cached: "0", Out: "0"}
	if len(total) > 0 {
		p.Total = total[0]
	}
	p.ByAutomation = usageRows(used, prices, func(u store.Usage) string { return u.Automation }, func(row *usageRow) {
		id := row.Label
		if row.Label, _ = n.automation(id); id == "" {
			row.Label, row.Note = "Nobody in particular", "calls of a version that did not note whom they were for"
		} else if n.rev != nil && n.rev.Automation(id) != nil {
			row.Path = automationPath(account, id)
		}
	})
	p.ByModel = usageRows(used, prices, func(u store.Usage) string { return u.Model }, func(row *usageRow) {
		if _, ok := prices.of(row.Label); !ok && p.Priced {
			row.Note = "no price is set"
		}
		row.Label = cmp.Or(row.Label, "unknown: it failed before it said its name")
	})
	p.byDay(used, prices, firstDay(now, n.zone(), p.Days))
}

// byDay has a row and a bar for every day, the rows with the newest first.
func (p *usagePage) byDay(used []store.Usage, prices Prices, first time.Time) {
	sums := map[string]*bill{}
	for _, u := range used {
		if sums[u.Day] == nil {
			sums[u.Day] = &bill{}
		}
		sums[u.Day].add(u, prices)
	}
	var bars []column
	for i := range p.Days {
		day := first.AddDate(0, 0, i).Format(time.DateOnly)
		sum := sums[day]
		if sum == nil {
			sum = &bill{}
		}
		row := rowOf(day, *sum, prices)
		bars = append(bars, column{Label: day, Value: row.tokens, Says: fmt.Sprintf("%s: %s tokens in, %s out", day, row.In, row.Out)})
		p.ByDay = append(p.ByDay, row)
	}
	slices.Reverse(p.ByDay)
	p.Chart = newChart("tokens", "Tokens by day, in and out", bars)
}

// usageRows sums usage up by a key, the most tokens first. name is called on each row, whose label is the key.
func usageRows(used []store.Usage, prices Prices, key func(store.Usage) string, name func(*usageRow)) (rows []usageRow) {
	sums := map[string]*bill{}
	for _, u := range used {
		if sums[key(u)] == nil {
			sums[key(u)] = &bill{}
		}
		sums[key(u)].add(u, prices)
	}
	for _, label := range slices.Sorted(maps.Keys(sums)) {
		row := rowOf(label, *sums[label], prices)
		if name != nil {
			name(&row)
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b usageRow) int { return cmp.Compare(b.tokens, a.tokens) })
	return rows
}

func rowOf(label string, b bill, prices Prices) usageRow {
	return usageRow{Label: label, In: worker.Amount(b.In), Cached: worker.Amount(b.Cached), Out: worker.Amount(b.Out),
		Share: percent(b.Cached, b.In), Cost: b.cost(prices), tokens: b.In + b.Out}
}

func budgetOf(b worker.Budget, at store.Standing, now time.Time) *budgetView {
	part := func(n int) int { return min(n*100/b.Tokens, 100) }
	v := &budgetView{Limit: worker.Amount(b.Tokens), Spent: worker.Amount(at.Spent), Reserved: worker.Amount(at.Reserved), SetBy: b.SetBy, Day: b.Day(now),
		Share: percent(at.Spent, b.Tokens), SpentWidth: part(at.Spent), Full: at.Spent >= b.Tokens}
	v.ReservedWidth = min(part(at.Reserved), 100-v.SpentWidth)
	return v
}
