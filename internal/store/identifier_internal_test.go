package store

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

func TestIdentifiersAreSentAsBytes(t *testing.T) {
	t.Parallel()
	m := pgtype.NewMap()
	m.TryWrapEncodePlanFuncs = slices.Insert(m.TryWrapEncodePlanFuncs, 0, identifiers)
	id := uuid.MustParse(newID())
	got, err := m.Encode(pgtype.UUIDOID, pgtype.BinaryFormatCode, id.String(), nil)
	if err != nil || !slices.Equal(got, id[:]) {
		t.Errorf("one: got %x, %v, want %x", got, err, id[:])
	}
	got, err = m.Encode(pgtype.UUIDArrayOID, pgtype.BinaryFormatCode, []string{id.String(), id.String()}, nil)
	if err != nil || len(got) < 32 || !slices.Equal(got[len(got)-16:], id[:]) {
		t.Errorf("a list: got %x, %v, want it to end with %x", got, err, id[:])
	}
	if got, err := m.Encode(pgtype.UUIDOID, pgtype.BinaryFormatCode, "call-1", nil); err == nil {
		t.Errorf("text that is no identifier: got %x, want an error", got)
	}
	// Other types take text as they did before.
	for oid, value := range map[uint32]string{pgtype.TextOID: "call-1", pgtype.JSONBOID: `{"a":1}`} {
		plain, wantErr := pgtype.NewMap().Encode(oid, pgtype.BinaryFormatCode, value, nil)
		got, err := m.Encode(oid, pgtype.BinaryFormatCode, value, nil)
		if !slices.Equal(got, plain) || (err == nil) != (wantErr == nil) {
			t.Errorf("type %d: got %q, %v, want %q, %v", oid, got, err, plain, wantErr)
		}
	}
}
