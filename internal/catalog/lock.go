package catalog

import "fmt"

// Lock is what a statement takes of a relation, as its kind tells or as it was measured.
type Lock struct {
	Mode     string `json:"mode"`
	Relation string `json:"relation"`
	// Rewrites tells that the table may be written anew under the lock, Scans that all its rows are read under it.
	Rewrites bool `json:"rewrites,omitempty"`
	Scans    bool `json:"scans,omitempty"`
}

// Modes of table locks, as PostgreSQL names them.
const (
	RowExclusive         = "ROW EXCLUSIVE"
	ShareUpdateExclusive = "SHARE UPDATE EXCLUSIVE"
	Share                = "SHARE"
	ShareRowExclusive    = "SHARE ROW EXCLUSIVE"
	Exclusive            = "EXCLUSIVE"
	AccessExclusive      = "ACCESS EXCLUSIVE"
)

// Blocks says whom a lock makes wait.
func (l Lock) Blocks() string {
	switch l.Mode {
	case AccessExclusive:
		return "readers and writers wait"
	case Exclusive, ShareRowExclusive, Share:
		return "writers wait"
	default:
		return "nobody who reads or writes waits"
	}
}

func (l Lock) String() string {
	text := fmt.Sprintf("%s on %s", l.Mode, l.Relation)
	if l.Rewrites {
		text += ", rewrites it"
	}
	if l.Scans {
		text += ", reads all of it"
	}
	return text
}
