package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"portaldb/internal/catalog"
)

// change is what the files since the base do to the schema.
type change struct {
	From  int64        `json:"from"`
	To    int64        `json:"to"`
	Files []fileChange `json:"files"`
	// Catalog are the differences of the schema as a whole, before and after.
	Catalog []catalog.Difference `json:"catalog"`
}

// fileChange is what one file does.
type fileChange struct {
	Name  string           `json:"name"`
	Class catalog.Reversal `json:"class"`
	// Does says it in words, Locks who waits meanwhile.
	Does  []string       `json:"does"`
	Locks []catalog.Lock `json:"locks"`
}

// describe says what the change does to the schema, from the effects of its files.
func (k *checker) describe(files int) error {
	if !k.known(files) {
		return errors.New("not every file has an effect: " + writeEffects)
	}
	from := int(k.base.from) - 1
	before, err := catalog.Fold(k.effects[:from]...)
	if err != nil {
		return err
	}
	c := &change{From: int64(from), To: int64(files), Files: []fileChange{}}
	last := before
	for i, e := range k.effects[from:] {
		next, err := catalog.Fold(k.effects[:from+i+1]...)
		if err != nil {
			return err
		}
		f := fileChange{Name: e.Name, Class: e.Class, Does: []string{}, Locks: []catalog.Lock{}}
		for _, d := range catalog.Diff(last, next) {
			f.Does = append(f.Does, words(d, next))
		}
		for _, statement := range e.Up {
			for _, lock := range statement.Locks {
				if !slices.Contains(f.Locks, lock) {
					f.Locks = append(f.Locks, lock)
				}
			}
		}
		c.Files = append(c.Files, f)
		last = next
	}
	c.Catalog = append([]catalog.Difference{}, catalog.Diff(before, last)...)
	k.report.Change = c
	return nil
}

// words says what became of an object; after is the schema that has it now.
func words(d catalog.Difference, after catalog.Catalog) string {
	switch d.Class {
	case catalog.Missing:
		return fmt.Sprintf("removes %s %s", d.Kind, d.Object)
	case catalog.Extra:
		meaning := d.Actual
		if d.Kind == "table" {
			var columns []string
			for _, o := range after.Objects() {
				if o.Kind == "column" && o.Parent == d.Object {
					columns = append(columns, o.Name+" "+o.Attrs["type"])
				}
			}
			meaning = strings.Join(columns, ", ")
		}
		if meaning != "" {
			meaning = " (" + meaning + ")"
		}
		return fmt.Sprintf("adds %s %s%s", d.Kind, d.Object, meaning)
	case catalog.Renamed:
		return fmt.Sprintf("renames %s %s to %s", d.Kind, d.Object, d.Actual)
	case catalog.Order:
		return "puts the columns of " + d.Object + " in another order"
	default:
		return fmt.Sprintf("changes %s %s from %s to %s", d.Kind, d.Object, d.Expected, d.Actual)
	}
}

// ways tells, by its class, what going back does to data.
var ways = map[catalog.Reversal]string{
	catalog.NoData:       "touches no data",
	catalog.DataKept:     "drops data, which portaldb rollback keeps",
	catalog.DataLost:     "loses data",
	catalog.Irreversible: "is none: irreversible",
}

// changed says what became of an object, where the first schema is the one before.
var changed = map[catalog.Class]string{
	catalog.Missing: "removed", catalog.Extra: "added", catalog.Different: "changed", catalog.Renamed: "renamed", catalog.Order: "reordered",
}
