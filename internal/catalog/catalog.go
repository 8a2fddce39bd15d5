// Package catalog reads the schema of a live PostgreSQL database into data, compares two schemas by meaning, and folds
// what each migration did into the schema that a version should have.
package catalog

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Object is one thing of a schema: a table, a column, a constraint, a function.
type Object struct {
	// Kind is what PostgreSQL calls it: table, column, index, enum.
	Kind string `json:"kind"`
	// Parent is the table, type or schema that it lives in, quoted as SQL needs it; empty for schemas and extensions.
	Parent string `json:"parent,omitempty"`
	// Name is its own name without the parent, quoted as SQL needs it; functions carry their argument types.
	Name string `json:"name"`
	// Attrs is its meaning. What PostgreSQL assumes when nothing is said is absent.
	Attrs map[string]string `json:"attrs,omitempty"`
}

// Key tells objects of one catalog apart.
type Key struct{ Kind, Parent, Name string }

// Key returns the object's key.
func (o Object) Key() Key { return Key{o.Kind, o.Parent, o.Name} }

// QualifiedName is the object's name with its parent.
func (k Key) QualifiedName() string {
	if k.Parent == "" {
		return k.Name
	}
	return k.Parent + "." + k.Name
}

// Position is the attribute that records where a column stands in its table. It is never a difference: old databases
// got columns in another order.
const position = "position"

// meaning is the object's attributes as one stable text.
func (o Object) meaning() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(o.Attrs)) {
		if name != position {
			fmt.Fprintf(&b, "%s=%s\n", name, o.Attrs[name])
		}
	}
	return b.String()
}

// Catalog is a schema as data.
type Catalog map[Key]Object

// Objects returns the catalog's objects in a stable order.
func (c Catalog) Objects() []Object {
	return slices.SortedFunc(maps.Values(c), compareObjects)
}

func compareObjects(a, b Object) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Parent, b.Parent), cmp.Compare(a.Name, b.Name))
}

// Fingerprint is the SHA-256 of the catalog's meaning, as "sha256:" and hexadecimal digits. The order of columns and the
// extensions do not count: both differ between databases that mean the same.
func (c Catalog) Fingerprint() string {
	h := sha256.New()
	for _, o := range c.Objects() {
		if o.Kind != "extension" {
			_, _ = io.WriteString(h, o.Kind+"\x00"+o.Parent+"\x00"+o.Name+"\x00"+o.meaning()+"\x00") // a hash never fails
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// meanings returns, for every object, what it is apart from its name: its attributes and those of everything inside it.
func (c Catalog) meanings() map[Key]string {
	children := map[string][]Object{}
	for _, o := range c.Objects() {
		if o.Parent != "" {
			children[o.Parent] = append(children[o.Parent], o)
		}
	}
	all := make(map[Key]string, len(c))
	for key, o := range c {
		text := o.meaning()
		if o.Kind != "schema" {
			for _, child := range children[key.QualifiedName()] {
				text += child.Kind + " " + child.Name + "\n" + child.meaning()
			}
		}
		all[key] = text
	}
	return all
}
