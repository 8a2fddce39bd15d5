package postgres

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portaldb/internal/portal"
)

// meaning is what an error of the database says to the caller.
type meaning struct {
	code    portal.Code
	message string
}

// constraints gives the meaning of what is named by a constraint, a trigger that raises one, or an index.
var constraints = map[string]meaning{
	"submissions_pkey":                      {portal.CodeConflict, "a submission with this id exists already"},
	"submission_requests_pkey":              {portal.CodeConflict, "a submission with this id exists already"},
	"submissions_immutable":                 {portal.CodeConflict, "this field of a submission never changes"},
	"submissions_not_requeued":              {portal.CodeConflict, "a submission never goes back to queued"},
	"chk_submissions_status":                {portal.CodeInvalid, "status must be queued, running, done or error"},
	"ix_submissions_kind_payload_numero":    {portal.CodeInvalid, "numero in payload is too long: an index holds it"},
	"ix_submissions_kind_payload_protocolo": {portal.CodeInvalid, "protocolo in payload is too long: an index holds it"},
	"automation_audits_append_only":         {portal.CodeConflict, "audit events never change"},
	"api_tokens_role_check":                 {portal.CodeInvalid, "role must be reader, writer or admin"},
}

// states gives the meaning of SQLSTATEs, and of classes of them by their first two characters.
var states = map[string]meaning{
	"08":    {portal.CodeUnavailable, "the connection to the database was lost"},
	"22":    {portal.CodeInvalid, "a value is not one that the database takes"},
	"22003": {portal.CodeInvalid, "a number is too large"},
	"22008": {portal.CodeInvalid, "a time is out of range"},
	"22021": {portal.CodeInvalid, "text must be UTF-8 without U+0000"},
	"22P02": {portal.CodeInvalid, "a value is malformed"},
	"22P05": {portal.CodeInvalid, "text must not contain U+0000"},
	"23502": {portal.CodeInvalid, "a required value is missing"},
	"23505": {portal.CodeConflict, "it exists already"},
	"23514": {portal.CodeInvalid, "a value is not one that the database takes"},
	"25006": {portal.CodeUnavailable, "the database takes no changes at the moment"},
	"40":    {portal.CodeUnavailable, "another change got in the way; try again"},
	"53":    {portal.CodeUnavailable, "the database is short of resources"},
	"54":    {portal.CodeInvalid, "a value is too large for the database"},
	"54000": {portal.CodeInvalid, "a value is too long for an index: kind, numero and protocolo in payload, and what names the actor"},
	"54001": {portal.CodeInvalid, "JSON is nested too deeply"},
	"55P03": {portal.CodeUnavailable, "another change got in the way; try again"},
	"57014": {portal.CodeUnavailable, "this took the database too long; a list can be narrowed down by kind, since and until"},
	"57P":   {portal.CodeUnavailable, "the database is restarting"},
}

// translate turns what the driver returns into an error of package portal. It is the only place that knows the driver's
// errors; it judges by SQLSTATE and by the name of the constraint, never by the text.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*portal.Error](err); ok {
		return err
	}
	m := interpret(err)
	return &portal.Error{Code: m.code, Message: m.message, Err: err}
}

func interpret(err error) meaning {
	if errors.Is(err, pgx.ErrNoRows) {
		return meaning{portal.CodeNotFound, "it does not exist"}
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return meaning{portal.CodeUnavailable, "the database cannot be reached"}
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		if m, ok := constraints[refused.ConstraintName]; ok {
			return m
		}
		for _, length := range []int{5, 3, 2} {
			if m, ok := states[refused.Code[:min(length, len(refused.Code))]]; ok {
				return m
			}
		}
		return meaning{portal.CodeInternal, "the database refused the statement"}
	}
	_, network := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.Canceled):
		return meaning{portal.CodeUnavailable, "the request was cancelled"}
	case errors.Is(err, context.DeadlineExceeded):
		return meaning{portal.CodeUnavailable, "this took the database too long"}
	case network, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), pgconn.SafeToRetry(err):
		return meaning{portal.CodeUnavailable, "the connection to the database was lost"}
	}
	return meaning{portal.CodeInternal, "the database driver failed"}
}
