package lint

import (
	"slices"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// dataType is a column's type with the parser's name, so that int and integer are one.
type dataType struct {
	name  string // without pg_catalog
	mods  []int32
	array bool
}

func typeOf(t *pg.TypeName) dataType {
	names := words(t.GetNames())
	if len(names) == 2 && (names[0] == "pg_catalog" || names[0] == "public") {
		names = names[1:]
	}
	d := dataType{name: strings.Join(names, "."), array: len(t.GetArrayBounds()) > 0}
	for _, mod := range t.GetTypmods() {
		d.mods = append(d.mods, mod.GetAConst().GetIval().GetIval())
	}
	return d
}

// sqlNames are what people write for what the parser calls otherwise.
var sqlNames = map[string]string{
	"int2": "smallint", "int4": "integer", "int8": "bigint", "bpchar": "char", "bool": "boolean", "float4": "real", "float8": "double precision",
}

func (d dataType) String() string {
	text := d.name
	if name, ok := sqlNames[text]; ok {
		text = name
	}
	if len(d.mods) > 0 {
		mods := make([]string, len(d.mods))
		for i, mod := range d.mods {
			mods[i] = strconv.Itoa(int(mod))
		}
		text += "(" + strings.Join(mods, ", ") + ")"
	}
	if d.array {
		text += "[]"
	}
	return text
}

// is reports whether the type has one of these names and is no array.
func (d dataType) is(names ...string) bool { return !d.array && slices.Contains(names, d.name) }

// serials are the short names for an integer with a sequence, and that integer.
var serials = map[string]string{
	"serial": "int4", "serial4": "int4", "bigserial": "int8", "serial8": "int8", "smallserial": "int2", "serial2": "int2",
}

func (d dataType) serial() bool { return serials[d.name] != "" }

// keepsRows reports whether PostgreSQL changes a column from type d into another without writing or reading its rows.
func (d dataType) keepsRows(to dataType) bool {
	if d.array != to.array {
		return false
	}
	if d.name == to.name && slices.Equal(d.mods, to.mods) {
		return true
	}
	if d.array {
		return false
	}
	mod := func(t dataType, i int, none int32) int32 {
		if i < len(t.mods) {
			return t.mods[i]
		}
		return none
	}
	const unlimited = 1 << 30
	switch {
	case d.is("varchar", "text") && to.is("text"), d.is("text") && to.is("varchar") && len(to.mods) == 0:
		return true
	case d.is("varchar") && to.is("varchar"), d.is("varbit") && to.is("varbit"):
		return mod(to, 0, unlimited) >= mod(d, 0, unlimited)
	case d.is("numeric") && to.is("numeric"):
		return len(to.mods) == 0 || len(d.mods) > 0 && mod(to, 0, 0) >= mod(d, 0, 0) && mod(to, 1, 0) == mod(d, 1, 0)
	case d.name == to.name && d.is("timestamp", "timestamptz", "time", "timetz") && len(to.mods) <= 1:
		return mod(to, 0, 6) >= mod(d, 0, 6)
	default:
		return d.is("cidr") && to.is("inet")
	}
}
