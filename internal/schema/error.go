package schema

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// ErrNewer is returned by Up when the database has versions that the files do not: a newer binary migrated it.
var ErrNewer = errors.New("the database is newer than these migrations")

// RefusedError is returned before anything is changed, when going on needs a person.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason + "; nothing changed" }

// LockedError is returned when somebody holds, for too long, a lock that is needed before anything is changed.
type LockedError struct {
	// Lock is which: the migration lock, a table's lock.
	Lock   string
	Waited time.Duration
	Holder string
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("%s was not free within %s: %s holds it; nothing changed, safe to retry", e.Lock, e.Waited, e.Holder)
}

// ConnectError is returned when the database cannot be reached or refuses the login.
type ConnectError struct {
	// Target is host, port and database, without secrets.
	Target string
	Err    error
}

func (e *ConnectError) Error() string {
	return fmt.Sprintf("connect to %s: %s", e.Target, connectReason(e.Err))
}

func (e *ConnectError) Unwrap() error { return e.Err }

// connectReason tells why a connection failed, without repeating the login and the database that the driver adds.
func connectReason(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return fmt.Sprintf("%s (SQLSTATE %s)", pgErr.Message, pgErr.Code)
	}
	var connectErr *pgconn.ConnectError
	if errors.As(err, &connectErr) {
		lines := strings.Split(connectErr.Unwrap().Error(), "\n")
		return strings.TrimSpace(lines[len(lines)-1])
	}
	return err.Error()
}

// MigrationError is returned when a migration failed. It says all that a person needs at that moment: what failed
// and where, what had been applied before, what state the schema is in, and what to do.
type MigrationError struct {
	// Version is 0 for what is no file's: the repair of adopt.
	Version int64
	// Down tells that it was the way back that failed.
	Down bool
	// File is the file's name, Line the line in it where the failing statement begins; 0 when no statement failed.
	File string
	Line int
	// Statement is the failing statement as it was sent.
	Statement string
	// Applied are the migrations that this run had applied before.
	Applied []Applied
	// Blockers are the sessions that the statement waited for, when it failed for a lock.
	Blockers []Blocker
	// Yielded tells that the file gave way to others who waited for its locks.
	Yielded bool
	// State is a sentence about the schema as it is now.
	State string
	// Next is a sentence about what to do.
	Next string
	Err  error
}

func (e *MigrationError) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	reason := cause(e.Err)
	switch {
	case e.Yielded:
		reason = "others waited too long for its locks: " + reason
	case len(e.Blockers) > 0:
		reason += "; it waited for " + blockersText(e.Blockers)
	}
	if e.Version == 0 {
		return where + ": " + reason
	}
	if e.Down {
		return fmt.Sprintf("roll back %05d: %s: %s", e.Version, where, reason)
	}
	return fmt.Sprintf("apply %05d: %s: %s", e.Version, where, reason)
}

func (e *MigrationError) Unwrap() error { return e.Err }

// SQLState is the SQLSTATE of the cause, empty when the server did not give one.
func (e *MigrationError) SQLState() string { return sqlState(e.Err) }

// LockNotAvailable reports whether the file failed because a lock was not free in time, was given up in a deadlock, or
// was wanted by others for too long. Such a file changed nothing and may be tried again.
func (e *MigrationError) LockNotAvailable() bool {
	return e.Yielded || isLockState(sqlState(e.Err))
}

// isLockState tells the SQLSTATEs of lock_not_available and deadlock_detected.
func isLockState(state string) bool { return state == "55P03" || state == "40P01" }

func sqlState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

// cause tells what the server said in one line, with the hint and the object where it gave them.
func cause(err error) string {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err.Error()
	}
	text := pgErr.Message
	if pgErr.Hint != "" {
		text += " (" + pgErr.Hint + ")"
	}
	return fmt.Sprintf("%s (SQLSTATE %s)", text, pgErr.Code)
}
