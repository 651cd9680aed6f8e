package store

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/deliver"
	"aftercall/internal/store/db"
)

// Reported is a delivery of which a report was news.
type Reported struct {
	DeliveryID, AccountID, Channel string
	Was, Is                        DeliveryState // Sending both, if its sender has not said yet what came of it
}

// Report takes what providers report of deliveries, in one transaction, and returns those of which it was news. Of what is
// not known here, what was heard before and what a person has dealt with meanwhile it takes no notice. What is said of an address
// counts by its time, whatever becomes of the delivery.
func (s *Store) Report(ctx context.Context, reports ...deliver.Report) (news []Reported, err error) {
	var rows []db.TakeReportsRow
	err = inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if reports, err = ours(ctx, q, reports); err != nil || len(reports) == 0 {
			return err
		}
		if counts := highest(reports); len(counts) > 0 {
			if rows, err = takeReports(ctx, q, counts); err != nil {
				return err
			}
		}
		return s.suppressReported(ctx, q, reports)
	})
	if err != nil {
		return nil, fmt.Errorf("take %d reports: %w", len(reports), err)
	}
	for _, r := range rows {
		news = append(news, Reported{DeliveryID: r.ID, AccountID: r.AccountID, Channel: r.Channel, Was: DeliveryState(r.Was), Is: DeliveryState(r.State)})
		s.teller.tell(TopicDeliveries, r.AccountID, r.ID)
	}
	return news, nil
}

// takeReports takes one report of each delivery, by its id, and gives the deliveries of which it was news.
func takeReports(ctx context.Context, q *db.Queries, counts map[string]deliver.Report) ([]db.TakeReportsRow, error) {
	p := reportRows(counts)
	if err := q.LockReported(ctx, p.Ids); err != nil {
		return nil, err
	}
	return q.TakeReports(ctx, p)
}

// ours are the reports with their delivery's id, found by the provider's id of the message where only that is handed back; without
// those that have none.
func ours(ctx context.Context, q *db.Queries, reports []deliver.Report) (known []deliver.Report, err error) {
	nameless := map[string][]string{} // ids that a provider gave
	for _, r := range reports {
		if r.DeliveryID == "" && r.ProviderID != "" {
			nameless[r.Provider] = append(nameless[r.Provider], providerID(r.ProviderID))
		}
	}
	found := map[[2]string]string{}
	for provider, ids := range nameless {
		rows, err := q.FindHanded(ctx, db.FindHandedParams{Provider: provider, ProviderIds: ids})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			found[[2]string{provider, row.ProviderID}] = row.DeliveryID
		}
	}
	for _, r := range reports {
		if r.DeliveryID == "" {
			r.DeliveryID = found[[2]string{r.Provider, providerID(r.ProviderID)}]
		}
		if id, err := uuid.Parse(r.DeliveryID); err == nil {
			r.DeliveryID = id.String()
			known = append(known, r)
		}
	}
	return known, nil
}

// suppressReported keeps what was said of addresses, by the account and the channel of the delivery. Whoever does so at the same time
// takes them in the same order.
func (s *Store) suppressReported(ctx context.Context, q *db.Queries, reports []deliver.Report) error {
	reports = slices.DeleteFunc(slices.Clone(reports), func(r deliver.Report) bool { return r.Address == "" || r.Suppress == "" && !r.Lift })
	if len(reports) == 0 {
		return nil
	}
	var ids []string
	for _, r := range reports {
		ids = append(ids, r.DeliveryID)
	}
	rows, err := q.WhoseDeliveries(ctx, ids)
	if err != nil {
		return err
	}
	var all []deliver.Suppression
	for _, r := range reports {
		i := slices.IndexFunc(rows, func(row db.WhoseDeliveriesRow) bool {
			return row.ID == r.DeliveryID && (r.AccountID == "" || r.AccountID == row.AccountID)
		})
		if i < 0 {
			continue
		}
		all = append(all, deliver.Suppression{AccountID: rows[i].AccountID, Channel: rows[i].Channel, Address: r.Address, Reason: r.Suppress, Source: r.Provider, At: r.At, Word: r.Word})
	}
	slices.SortStableFunc(all, func(a, b deliver.Suppression) int {
		return bytes.Compare(s.hashes.suppressed(a.AccountID, a.Channel, a.Address), s.hashes.suppressed(b.AccountID, b.Channel, b.Address))
	})
	for _, one := range all {
		if _, err := s.suppress(ctx, q, one); err != nil {
			return err
		}
	}
	return nil
}

// highest has of each delivery, by its id, the report of the highest rank.
func highest(reports []deliver.Report) map[string]deliver.Report {
	counts := map[string]deliver.Report{}
	for _, r := range reports {
		if r.Fact.Rank() > counts[r.DeliveryID].Fact.Rank() {
			counts[r.DeliveryID] = r
		}
	}
	return counts
}

func reportRows(counts map[string]deliver.Report) (p db.TakeReportsParams) {
	now := time.Now()
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		r := counts[id]
		p.Ids, p.AccountIds = append(p.Ids, id), append(p.AccountIds, clean(r.AccountID))
		p.Facts, p.Ranks = append(p.Facts, string(r.Fact)), append(p.Ranks, int32(r.Fact.Rank()))
		p.Ats, p.Providers = append(p.Ats, orNow(r.At, now)), append(p.Providers, clean(r.Provider))
		p.ProviderIds, p.Classes = append(p.ProviderIds, providerID(r.ProviderID)), append(p.Classes, clean(r.Class))
		p.Statuses, p.Details = append(p.Statuses, int32(r.Status)), append(p.Details, clean(r.Detail))
	}
	return p
}
