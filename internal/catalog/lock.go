package catalog

import (
	"fmt"
	"slices"
)

// Lock is what a statement takes of a relation, as its kind tells or as it was measured.
type Lock struct {
	Mode     string `json:"mode"`
	Relation string `json:"relation"`
	// Rewrites tells that the table is written anew under the lock, Scans that all its rows are read under it and no more:
	// a rewrite reads them too. Told by kind, a rewrite is one that may be.
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

// modes are the modes from the weakest to the strongest.
var modes = []string{"ACCESS SHARE", "ROW SHARE", RowExclusive, ShareUpdateExclusive, Share, ShareRowExclusive, Exclusive, AccessExclusive}

// Strength orders modes: the stronger of two has the higher one. It is -1 for what is no mode.
func Strength(mode string) int { return slices.Index(modes, mode) }

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
