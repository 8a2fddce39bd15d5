// Package portal is what the portal does with its submissions, audit events and tokens, whoever asks for it. Its errors
// are of type Error.
package portal

import (
	"sync/atomic"
	"time"

	"portaldb/db"
)

// Service carries out the operations of this package on one database. Its methods may be called at the same time.
type Service struct {
	database Primary
	primary  *db.Queries
	reads    *db.Queries
	tokens   tokenCache
	pruned   atomic.Int64 // when the queue was rid of what ended elsewhere, in seconds of Unix time
	now      func() time.Time
}

// Primary is the database that takes changes.
type Primary interface {
	db.DBTX
	// After returns a way to run one statement in the transaction of another one, which comes first.
	After(sql string, args ...any) db.DBTX
}

// New returns a Service that writes and reads single rows through primary, and lists and counts through reads, which
// may be a replica. Both have to return errors of type Error.
func New(primary Primary, reads db.DBTX) *Service {
	return &Service{
		database: primary,
		primary:  db.New(primary),
		reads:    db.New(reads),
		tokens:   tokenCache{entries: make(map[tokenHash]tokenEntry)},
		now:      time.Now,
	}
}
