package catalog

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed read.sql
var readSQL string

// Transaction is an open transaction: a *sql.Tx, or a connection on which BEGIN has been sent.
type Transaction interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Read returns the schema of the database that tx is on: every schema but the system's and the engine's bookkeeping,
// without what belongs to extensions. It takes no lock that would make anyone wait, and leaves the session's settings as
// they were.
func Read(ctx context.Context, tx Transaction) (Catalog, error) {
	// Definitions come out qualified only when nothing is on the path, and constants in them as these settings say.
	_, err := tx.ExecContext(ctx, `
		savepoint catalog_read;
		set local search_path = '';
		set local intervalstyle = postgres;
		set local datestyle = 'ISO, MDY';
		set local timezone = 'UTC';
		set local bytea_output = hex;
		set local extra_float_digits = 1;
		set local quote_all_identifiers = off`)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	rows, err := tx.QueryContext(ctx, readSQL)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	defer rows.Close()
	c := Catalog{}
	for rows.Next() {
		var o Object
		var attrs []byte
		if err := rows.Scan(&o.Kind, &o.Parent, &o.Name, &attrs); err != nil {
			return nil, fmt.Errorf("read the catalog: %w", err)
		}
		var values map[string]*string
		if err := json.Unmarshal(attrs, &values); err != nil {
			return nil, fmt.Errorf("read %s %s: %w", o.Kind, o.Key().QualifiedName(), err)
		}
		for name, value := range values {
			if value != nil && *value != "" {
				if o.Attrs == nil {
					o.Attrs = map[string]string{}
				}
				o.Attrs[name] = *value
			}
		}
		c[o.Key()] = o
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `rollback to savepoint catalog_read; release savepoint catalog_read`); err != nil {
		return nil, fmt.Errorf("put the settings back: %w", err)
	}
	return c, nil
}
