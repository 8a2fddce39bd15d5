package schema

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"

	"portaldb/internal/catalog"
)

type referenceTable struct{ table, query string }

// referenceTables are the tables whose rows come with the migrations: a query for what tells a row apart and what it says.
// Columns are read through to_jsonb, so that a table that lacks one can still be read.
var referenceTables = []referenceTable{
	{"public.roles", `
		select to_jsonb(r) ->> 'name', jsonb_build_object('description', to_jsonb(r) ->> 'description')
		from public.roles r`},
	{"public.org_units", `
		select to_jsonb(u) ->> 'code', jsonb_build_object(
			'name', to_jsonb(u) ->> 'name', 'parent', to_jsonb(p) ->> 'code', 'active', to_jsonb(u) ->> 'active')
		from public.org_units u left join public.org_units p on to_jsonb(p) ->> 'id' = to_jsonb(u) ->> 'parent_id'`},
}

// readReference returns the rows of the reference tables as objects of kind row.
func readReference(ctx context.Context, tx *sql.Tx) (catalog.Catalog, error) {
	found := catalog.Catalog{}
	for _, t := range referenceTables {
		var exists bool
		if err := tx.QueryRowContext(ctx, `select to_regclass($1) is not null`, t.table).Scan(&exists); err != nil {
			return nil, fmt.Errorf("look for %s: %w", t.table, err)
		}
		if !exists {
			continue
		}
		if err := readRows(ctx, tx, t.table, t.query, found); err != nil {
			return nil, fmt.Errorf("read %s: %w", t.table, err)
		}
	}
	return found, nil
}

func readRows(ctx context.Context, tx *sql.Tx, table, query string, into catalog.Catalog) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name sql.NullString
		var values []byte
		if err := rows.Scan(&name, &values); err != nil {
			return err
		}
		var attrs map[string]*string
		if err := json.Unmarshal(values, &attrs); err != nil {
			return err
		}
		o := catalog.Object{Kind: "row", Parent: table, Name: name.String}
		for column, value := range attrs {
			if value != nil {
				if o.Attrs == nil {
					o.Attrs = map[string]string{}
				}
				o.Attrs[column] = *value
			}
		}
		into[o.Key()] = o
	}
	return rows.Err()
}

// referenceDifferences compares the reference rows with those that are there. Rows of the portal's own are no difference.
func referenceDifferences(want, got catalog.Catalog) []catalog.Difference {
	got = maps.Clone(got)
	maps.DeleteFunc(got, func(key catalog.Key, _ catalog.Object) bool {
		_, ok := want[key]
		return !ok
	})
	return catalog.Diff(want, got)
}

// readSchema reads the catalog and the reference rows in one snapshot.
func readSchema(ctx context.Context, db *sql.DB) (c, rows catalog.Catalog, err error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, nil, fmt.Errorf("read the schema: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	if c, err = catalog.Read(ctx, tx); err != nil {
		return nil, nil, err
	}
	rows, err = readReference(ctx, tx)
	return c, rows, err
}
