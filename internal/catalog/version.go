package catalog

import "maps"

// Postgres is the major version of PostgreSQL whose way of printing definitions the effect files hold.
const Postgres = 15

// Comparable returns c without what PostgreSQL of the given major version is known to print in another way than
// [Postgres] does, so that catalogs read on different servers can be compared. It is the one place that knows.
//
// From 16 on a view's columns are printed without their table where there is only one. From 18 on NOT NULL is listed as
// a constraint too, which the reader passes over on every version.
func Comparable(c Catalog, major int) Catalog {
	if major == Postgres {
		return c
	}
	out := maps.Clone(c)
	for key, o := range out {
		if key.Kind == "view" || key.Kind == "materialized view" {
			o.Attrs = maps.Clone(o.Attrs)
			delete(o.Attrs, "definition")
			out[key] = o
		}
	}
	return out
}
