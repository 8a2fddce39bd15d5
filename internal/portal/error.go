package portal

import "errors"

// Code says what kind of failure an Error is. Callers, also those of the HTTP API, may rely on the values.
type Code string

// The codes. CodeInternal is for whatever nobody foresaw: its cause is for the log only.
const (
	CodeConflict           Code = "conflict"
	CodeForbidden          Code = "forbidden"
	CodeGone               Code = "gone"
	CodeInternal           Code = "internal"
	CodeInvalid            Code = "invalid"
	CodeNotFound           Code = "not_found"
	CodePreconditionFailed Code = "precondition_failed"
	CodeTooLarge           Code = "too_large"
	CodeTooMany            Code = "too_many"
	CodeUnauthenticated    Code = "unauthenticated"
	CodeUnavailable        Code = "unavailable"
	CodeUnsupported        Code = "unsupported"
)

// Error is a failure that a caller can be told about. Message is safe to show: it holds no SQL and nothing that the
// caller sent. Err, if any, is the cause, for the log.
type Error struct {
	Code    Code
	Message string
	Err     error
}

// Error returns the message, and the cause after it.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// ErrorCode returns the code of the first Error in err's chain, and CodeInternal if there is none.
func ErrorCode(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// ErrorMessage returns what a caller may be told about err, which for an internal failure is nothing specific.
func ErrorMessage(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Code != CodeInternal {
		return e.Message
	}
	return "an unexpected error occurred; the log of the service has the details"
}

func invalid(message string) error { return &Error{Code: CodeInvalid, Message: message} }
