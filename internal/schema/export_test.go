package schema

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// GenerateRows puts up to count rows into each table of a database; the seed says which.
func GenerateRows(ctx context.Context, conn *pgx.Conn, count int, seed int64) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		all, err := readRowTables(ctx, tx)
		if err != nil {
			return err
		}
		maps.DeleteFunc(all, func(_ uint32, t *rowTable) bool { return t.name == "public.goose_db_version" })
		_, err = generateRows(ctx, tx, slices.Collect(maps.Keys(all)), count, seed)
		return err
	})
}

// HistoryHash is the SQL of the hash of a row of the history called entry.
const HistoryHash = historyHash

// RoundedUp is what a digest says of a count.
var RoundedUp = roundedUp
