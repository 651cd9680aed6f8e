package store

import (
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
// not known here, what was heard before and what a person has dealt with meanwhile it takes no notice.
func (s *Store) Report(ctx context.Context, reports ...deliver.Report) (news []Reported, err error) {
	counts := highest(reports)
	if len(counts) == 0 {
		return nil, nil
	}
	p := reportRows(counts)
	var rows []db.TakeReportsRow
	err = inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if err := q.LockReported(ctx, p.Ids); err != nil {
			return err
		}
		if rows, err = q.TakeReports(ctx, p); err != nil {
			return err
		}
		return s.suppressReported(ctx, q, rows, counts)
	})
	if err != nil {
		return nil, fmt.Errorf("take reports of %d deliveries: %w", len(counts), err)
	}
	for _, r := range rows {
		news = append(news, Reported{DeliveryID: r.ID, AccountID: r.AccountID, Channel: r.Channel, Was: DeliveryState(r.Was), Is: DeliveryState(r.State)})
		s.teller.tell(TopicDeliveries, r.AccountID, r.ID)
	}
	return news, nil
}

// suppressReported keeps the addresses that are not to be written to any more, by the channel of the delivery.
func (s *Store) suppressReported(ctx context.Context, q *db.Queries, rows []db.TakeReportsRow, counts map[string]deliver.Report) error {
	for _, row := range rows {
		r := counts[row.ID]
		if r.Suppress == "" || r.Address == "" {
			continue
		}
		one := deliver.Suppression{AccountID: row.AccountID, Channel: row.Channel, Address: r.Address, Reason: r.Suppress, Source: r.Provider}
		if err := s.suppress(ctx, q, one); err != nil {
			return err
		}
	}
	return nil
}

// highest has of each delivery, by its id, the report of the highest rank.
func highest(reports []deliver.Report) map[string]deliver.Report {
	counts := map[string]deliver.Report{}
	for _, r := range reports {
		if id, err := uuid.Parse(r.DeliveryID); err == nil && r.Fact.Rank() > counts[id.String()].Fact.Rank() {
			counts[id.String()] = r
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
