package store

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
)

var (
	errClosed = errors.New("the store is closed")
	errBusy   = errors.New("the database does not keep up")
)

// Away reports whether err says that the database could not be reached, is shutting down, or is too busy to answer in
// time: the same write may succeed later, unchanged. It may even have succeeded, with only the answer lost.
func Away(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		return true // whatever the server said of the connection, it never heard of the write
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return awayCode(refused.Code)
	}
	var network net.Error
	return errors.Is(err, errClosed) || errors.Is(err, errBusy) || errors.Is(err, puddle.ErrClosedPool) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &network) ||
		pgconn.SafeToRetry(err) || pgconn.Timeout(err)
}

// awayCode judges an SQLSTATE (PostgreSQL, Appendix A).
func awayCode(code string) bool {
	switch code {
	case "57P01", "57P02", "57P03", // shutting down, crashed, starting up
		"57P05", "25P03", // idle session or transaction ended: this process was frozen
		"57014", // cancelled: a statement took too long
		"25006", // read-only: fail-over is under way
		"55P03": // a lock was not to be had in time
		return true
	}
	return strings.HasPrefix(code, "08") || // connection
		strings.HasPrefix(code, "53") || // out of connections, memory, disk
		strings.HasPrefix(code, "58") // the server's own input and output
}
