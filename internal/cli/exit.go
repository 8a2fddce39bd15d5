package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"portaldb/internal/schema"
)

// The exit codes, the same for every command.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNo          = 3
	exitRefused     = 4
	exitLocked      = 5
	exitUnreachable = 6
	exitBinaryOnly  = 10
)

// errNo is the answer no: the command worked, its result is printed, and the exit code tells.
var errNo = noError{}

// noError is the answer no with a message, where no result says why.
type noError struct{ message string }

func (e noError) Error() string        { return e.message }
func (e noError) Is(target error) bool { return target == errNo }

func exitCode(err error) int {
	var (
		refused   *schema.RefusedError
		locked    *schema.LockedError
		migration *schema.MigrationError
		connect   *schema.ConnectError
		pgConnect *pgconn.ConnectError
	)
	switch {
	case errors.Is(err, errBinaryIsEnough):
		return exitBinaryOnly
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, errNo), errors.Is(err, schema.ErrNewer):
		return exitNo
	case errors.As(err, &refused):
		return exitRefused
	case errors.As(err, &locked), errors.As(err, &migration) && migration.LockNotAvailable():
		return exitLocked
	case errors.As(err, &connect), errors.As(err, &pgConnect):
		return exitUnreachable
	default:
		return exitFailed
	}
}

// explain tells on stderr why a command failed.
func (a *app) explain(command string, err error) {
	if errors.Is(err, errBinaryIsEnough) || errors.Is(err, errNo) && err.Error() == "" {
		return
	}
	a.logf("portaldb %s: %v", command, err)
	var failed *schema.MigrationError
	if !errors.As(err, &failed) {
		return
	}
	if failed.Statement != "" {
		a.logf("\n%s\n", excerpt(failed.Statement, 20))
	}
	if len(failed.Applied) > 0 {
		names := make([]string, len(failed.Applied))
		for i, m := range failed.Applied {
			names[i] = m.Name
		}
		a.logf("Applied before: %s", strings.Join(names, ", "))
	} else {
		a.logf("Applied before: nothing")
	}
	a.logf("State: %s\nNext: %s", failed.State, failed.Next)
}

// excerpt is the first lines of a statement, indented.
func excerpt(statement string, most int) string {
	lines := strings.Split(statement, "\n")
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("... (%d more lines)", len(lines)-most))
	}
	return "    " + strings.Join(lines, "\n    ")
}
