package store

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// identifier is a UUID of ours, which we keep as text, for the driver. The driver prefers to send sixteen bytes, but does
// not make them of text: for each such parameter it formed an error, dropped it and sent the text, which took a fifth of
// the time spent on parameters.
type identifier struct{ text string }

// UUIDValue makes identifier a pgtype.UUIDValuer. The driver sends text that is no UUID as it stands, and the server says
// what is wrong with it.
func (i identifier) UUIDValue() (pgtype.UUID, error) {
	id, err := uuid.Parse(i.text)
	return pgtype.UUID{Bytes: id, Valid: err == nil}, err
}

// identifiers is a pgtype.TryWrapEncodePlanFunc: where a parameter's type knows no text, it may be an identifier.
func identifiers(value any) (pgtype.WrappedEncodePlanNextSetter, any, bool) {
	text, ok := value.(string)
	if !ok {
		return nil, nil, false
	}
	return &identifierPlan{}, identifier{text}, true
}

type identifierPlan struct{ next pgtype.EncodePlan }

// SetNext is told what encodes a pgtype.UUIDValuer.
func (p *identifierPlan) SetNext(next pgtype.EncodePlan) { p.next = next }

// Encode appends the sixteen bytes.
func (p *identifierPlan) Encode(value any, buf []byte) ([]byte, error) {
	return p.next.Encode(identifier{value.(string)}, buf)
}
