package catalog

import "fmt"

// Effect is what one migration did to the catalog, in full.
type Effect struct {
	Version int64    `json:"version"`
	Name    string   `json:"name"`
	Added   []Object `json:"added,omitempty"`
	Changed []Change `json:"changed,omitempty"`
	Removed []Object `json:"removed,omitempty"`
	// Rows are the reference rows that the migration put in: objects of kind row inside their table.
	Rows []Object `json:"rows,omitempty"`
}

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
