// Package portal is what the portal does with its submissions, audit events and tokens, whoever asks for it. Its errors
// are of type Error.
package portal

import (
	"time"

	"portaldb/db"
)

// Service carries out the operations of this package on one database. Its methods may be called at the same time.
type Service struct {
	primary *db.Queries
	reads   *db.Queries
	tokens  tokenCache
	now     func() time.Time
}

// New returns a Service that writes and reads single rows through primary, and lists and counts through reads, which
// may be a replica. Both have to return errors of type Error.
func New(primary, reads db.DBTX) *Service {
	return &Service{
		primary: db.New(primary),
		reads:   db.New(reads),
		tokens:  tokenCache{entries: make(map[tokenHash]tokenEntry)},
		now:     time.Now,
	}
}
