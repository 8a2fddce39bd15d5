package catalog

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Class says in which way a live schema differs from the one that it should be.
type Class string

// The classes of differences.
const (
	Missing   Class = "missing"   // expected, and not there
	Extra     Class = "extra"     // there, and not expected
	Different Class = "different" // there, with another meaning
	Renamed   Class = "renamed"   // there with the same meaning, under another name
	Order     Class = "order"     // the same columns in another order: recorded, never an error
)

// Difference is one way in which two schemas differ.
type Difference struct {
	Class Class  `json:"class"`
	Kind  string `json:"kind"`
	// Object is the qualified name; of a renamed object the expected one.
	Object string `json:"object"`
	// Expected and Actual hold what differs: the attributes with another value, the other name, or, for an object that
	// only one side has, all of it.
	Expected string `json:"expected"`
	Actual   string `json:"actual"`
	// Accepted tells that a person has accepted this very difference, and Reason why.
	Accepted bool   `json:"accepted"`
	Reason   string `json:"reason"`
}

// MarshalJSON writes what is absent as null.
func (d Difference) MarshalJSON() ([]byte, error) {
	type plain Difference
	absent := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	return json.Marshal(struct {
		plain
		Expected *string `json:"expected"`
		Actual   *string `json:"actual"`
		Reason   *string `json:"reason"`
	}{plain(d), absent(d.Expected), absent(d.Actual), absent(d.Reason)})
}

// Same reports whether both are the same difference, whatever a person has said of either.
func (d Difference) Same(other Difference) bool {
	other.Accepted, other.Reason = d.Accepted, d.Reason
	return d == other
}

// Accept marks those of differences that are among accepted, with the reason given there.
func Accept(differences, accepted []Difference) {
	for i := range differences {
		if j := slices.IndexFunc(accepted, differences[i].Same); j >= 0 {
			differences[i].Accepted, differences[i].Reason = true, accepted[j].Reason
		}
	}
}

// Drift reports whether the difference counts: it is no matter of column order and nobody has accepted it.
func (d Difference) Drift() bool { return d.Class != Order && !d.Accepted }

// Diff compares the schema that should be with the one that is. What lies inside a missing or extra object is not listed
// again. The result is in a stable order, empty when they agree.
func Diff(want, got Catalog) []Difference {
	wantMeans, gotMeans := want.meanings(), got.meanings()
	var missing, extra []Object
	var all []Difference
	for _, o := range want.Objects() {
		if _, ok := got[o.Key()]; !ok {
			missing = append(missing, o)
		} else if live := got[o.Key()]; live.meaning() != o.meaning() {
			expected, actual := changes(o, live)
			all = append(all, Difference{Class: Different, Kind: o.Kind, Object: o.Key().QualifiedName(), Expected: expected, Actual: actual})
		}
	}
	for _, o := range got.Objects() {
		if _, ok := want[o.Key()]; !ok {
			extra = append(extra, o)
		}
	}

	// Pair what is missing with what is extra: the same kind, parent and meaning under another name.
	gone := map[string]bool{} // parents that are listed themselves
	for i := 0; i < len(missing); i++ {
		o := missing[i]
		j := slices.IndexFunc(extra, func(e Object) bool {
			// What a schema or an extension means lies in what it holds.
			return e.Kind == o.Kind && e.Kind != "schema" && e.Kind != "extension" && e.Parent == o.Parent && gotMeans[e.Key()] == wantMeans[o.Key()]
		})
		if j < 0 {
			continue
		}
		all = append(all, Difference{Class: Renamed, Kind: o.Kind, Object: o.Key().QualifiedName(), Expected: o.Name, Actual: extra[j].Name})
		gone[o.Key().QualifiedName()], gone[extra[j].Key().QualifiedName()] = true, true
		missing, extra = slices.Delete(missing, i, i+1), slices.Delete(extra, j, j+1)
		i--
	}
	for _, list := range [][]Object{missing, extra} {
		for _, o := range list {
			if o.Kind != "column" && o.Kind != "index" && o.Kind != "constraint" && o.Kind != "trigger" {
				gone[o.Key().QualifiedName()] = true
			}
		}
	}
	for _, o := range missing {
		if !gone[o.Parent] {
			all = append(all, Difference{Class: Missing, Kind: o.Kind, Object: o.Key().QualifiedName(), Expected: line(o)})
		}
	}
	for _, o := range extra {
		if !gone[o.Parent] {
			all = append(all, Difference{Class: Extra, Kind: o.Kind, Object: o.Key().QualifiedName(), Actual: line(o)})
		}
	}
	all = append(all, orderDifferences(want, got)...)

	slices.SortStableFunc(all, func(a, b Difference) int {
		return strings.Compare(a.Object+"\x00"+a.Kind+"\x00"+string(a.Class), b.Object+"\x00"+b.Kind+"\x00"+string(b.Class))
	})
	return all
}

// changes lists the attributes in which two objects differ, once for each side.
func changes(want, got Object) (expected, actual string) {
	a, b := Object{Attrs: map[string]string{}}, Object{Attrs: map[string]string{}}
	names := maps.Clone(want.Attrs)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, got.Attrs)
	for name := range names {
		if x, y := want.Attrs[name], got.Attrs[name]; x != y {
			a.Attrs[name], b.Attrs[name] = x, y
		}
	}
	return line(a), line(b)
}

// line is an object's attributes on one line. An empty value is shown as none.
func line(o Object) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(o.Attrs)) {
		if name == position {
			continue
		}
		value := o.Attrs[name]
		if value == "" {
			value = "none"
		}
		parts = append(parts, name+": "+value)
	}
	return strings.Join(parts, "; ")
}

// orderDifferences names the tables whose common columns stand in another order.
func orderDifferences(want, got Catalog) []Difference {
	wantOrder, gotOrder := columnOrder(want, got), columnOrder(got, want)
	var all []Difference
	for table, columns := range wantOrder {
		if !slices.Equal(columns, gotOrder[table]) {
			all = append(all, Difference{
				Class: Order, Kind: "table", Object: table,
				Expected: strings.Join(columns, ", "), Actual: strings.Join(gotOrder[table], ", "),
			})
		}
	}
	return all
}

// columnOrder lists, by table, the columns of c that other has too, in their order in c.
func columnOrder(c, other Catalog) map[string][]string {
	columns := map[string][]Object{}
	for key, o := range c {
		if _, ok := other[key]; ok && o.Kind == "column" {
			columns[o.Parent] = append(columns[o.Parent], o)
		}
	}
	order := map[string][]string{}
	for table, list := range columns {
		slices.SortFunc(list, func(a, b Object) int {
			x, _ := strconv.Atoi(a.Attrs[position])
			y, _ := strconv.Atoi(b.Attrs[position])
			return cmp.Or(x-y, strings.Compare(a.Name, b.Name))
		})
		for _, o := range list {
			order[table] = append(order[table], o.Name)
		}
	}
	return order
}
