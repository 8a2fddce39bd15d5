package catalog

import "fmt"

// Effect is what one migration did to the catalog, in full, and what its two halves were measured to do on the way: up, down
// and up again over tables with rows. Effects that were written before there was measuring have the catalog alone.
type Effect struct {
	Version int64  `json:"version"`
	Name    string `json:"name"`
	// Checksum is that of the file that was measured: one that was edited since is recognised by it.
	Checksum string `json:"checksum,omitempty"`
	// Class is what the Down does to data; empty where that was not measured.
	Class   Reversal `json:"class,omitempty"`
	Added   []Object `json:"added,omitempty"`
	Changed []Change `json:"changed,omitempty"`
	Removed []Object `json:"removed,omitempty"`
	// Rows are the reference rows that the migration put in: objects of kind row inside their table.
	Rows []Object `json:"rows,omitempty"`
	// Up and Down are the statements of each half as they are sent. Down is empty where it is irreversible.
	Up   []Measured `json:"up,omitempty"`
	Down []Measured `json:"down,omitempty"`
	// Left is what differs from the catalog before, after up and down; nothing where Down is a real inverse.
	Left []Difference `json:"left,omitempty"`
	// Lost are the tables that had rows before which were not all there, and the same, after up, or after up and down.
	Lost []string `json:"lost,omitempty"`
	// Refused are the halves that would not run over rows. They were measured without them, or not again.
	Refused []Refusal `json:"refused,omitempty"`
}

// Measured is one statement of a migration, as it was measured.
type Measured struct {
	// Line is where it begins in the file.
	Line int `json:"line"`
	// Locks are those that it was first to take of relations which existed before the file, from ROW EXCLUSIVE up; outside a
	// transaction, where none can be seen, those that its kind tells.
	Locks []Lock `json:"locks,omitempty"`
	// MSPer100k is how many milliseconds it took for 100,000 rows that it read or rewrote: information, which differs
	// by machine. 0 where it went over no table.
	MSPer100k int64 `json:"ms_per_100k,omitempty"`
}

// Refusal is a half of a migration that would not run.
type Refusal struct {
	// Half is up, down, or "up again" for the Up after the Down.
	Half string `json:"half"`
	// Reason is what the server said, without values of rows.
	Reason string `json:"reason"`
}

// Reversal says what a Down does to the data that was there before it, judged from what it did and not by its text.
type Reversal string

const (
	// NoData (R0) is a Down after which every row is as it was: it drops or adds indexes, constraints, functions,
	// triggers, views, generated columns, and the like. Deleting rows that the Up had put in is R0 too, if the Up puts the
	// same in again: they are the migration's, not anybody's. What was edited in them since is to be looked for before.
	NoData Reversal = "R0"
	// DataKept (R1) is a Down that drops a table or a column, or changes a column's type and with it its values: a rollback
	// keeps them. So are the sequences of such a table.
	DataKept Reversal = "R1"
	// DataLost (R2) is a Down that loses what is neither kept nor can be made anew: it deletes, updates or truncates rows
	// which it did not put in, moves a sequence, or drops one that is of no table.
	DataLost Reversal = "R2"
	// Irreversible (R3) is a Down that must not run: the file says "irreversible: REASON".
	Irreversible Reversal = "R3"
)

// Change is one object before and after a migration.
type Change struct {
	Before Object `json:"before"`
	After  Object `json:"after"`
}

// Compare returns what turned the catalog before into the catalog after.
func Compare(before, after Catalog) Effect {
	var e Effect
	for _, o := range after.Objects() {
		if old, ok := before[o.Key()]; !ok {
			e.Added = append(e.Added, o)
		} else if old.meaning() != o.meaning() {
			e.Changed = append(e.Changed, Change{Before: old, After: o})
		}
	}
	for _, o := range before.Objects() {
		if _, ok := after[o.Key()]; !ok {
			e.Removed = append(e.Removed, o)
		}
	}
	return e
}

// Fold returns the catalog that the effects, in order, make out of an empty database. It fails when an effect does not
// fit on those before it, which means that the files were edited or are out of step.
func Fold(effects ...Effect) (Catalog, error) {
	c := Catalog{}
	for _, e := range effects {
		for _, o := range e.Removed {
			if _, ok := c[o.Key()]; !ok {
				return nil, fmt.Errorf("fold effect %05d: %s %s is removed but does not exist", e.Version, o.Kind, o.Key().QualifiedName())
			}
			delete(c, o.Key())
		}
		for _, change := range e.Changed {
			if old, ok := c[change.Before.Key()]; !ok || old.meaning() != change.Before.meaning() {
				return nil, fmt.Errorf("fold effect %05d: %s %s is not what the effect found", e.Version, change.Before.Kind, change.Before.Key().QualifiedName())
			}
			c[change.After.Key()] = change.After
		}
		for _, o := range e.Added {
			if _, ok := c[o.Key()]; ok {
				return nil, fmt.Errorf("fold effect %05d: %s %s is added but exists", e.Version, o.Kind, o.Key().QualifiedName())
			}
			c[o.Key()] = o
		}
	}
	return c, nil
}
