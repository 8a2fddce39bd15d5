package schema

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Trash is data that a rollback has kept: a table, columns with the key of their rows, the position of a sequence.
type Trash struct {
	ID int64 `json:"id"`
	// Version and Name are the migration that was rolled back; Run is the history's row with which that rollback began.
	Version int64  `json:"version"`
	Name    string `json:"name"`
	Run     int64  `json:"run"`
	// Kind is table, column or sequence; Object is what the table or the sequence was called.
	Kind    string   `json:"kind"`
	Object  string   `json:"object"`
	Columns []string `json:"columns"`
	Key     []string `json:"key"`
	// KeptIn is the table that holds it now; nil for a sequence.
	KeptIn *string `json:"kept_in"`
	// Rows and Bytes are its size when it was kept.
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
	Actor string `json:"actor"`
	// KeptAt is when; RestoredAt and PurgedAt when it was put back or thrown away, nil when it was not.
	KeptAt     time.Time  `json:"kept_at"`
	RestoredAt *time.Time `json:"restored_at"`
	PurgedAt   *time.Time `json:"purged_at"`
	// LeftRows are those that could not be put back and are still kept; nil before.
	LeftRows *int64 `json:"left_rows"`
	// Restorable tells that the migration makes the object again, so that up can put the rows back.
	Restorable bool `json:"restorable"`
	// ForeignKeys are those that a moved table had, in and out.
	ForeignKeys json.RawMessage `json:"foreign_keys"`

	position *position
	types    []string
	altered  bool
	source   uint32
}

// What names what was kept, for people.
func (t Trash) What() string {
	if t.Kind == "column" {
		return fmt.Sprintf("%s (%s)", t.Object, strings.Join(t.Columns, ", "))
	}
	return t.Object
}

// reference is how the history names it.
func (t Trash) reference() string {
	if t.position != nil {
		return fmt.Sprintf("sequence %s at %d", t.Object, t.position.Last)
	}
	return fmt.Sprintf("%s %s in %s", t.Kind, t.What(), *t.KeptIn)
}

const trashColumns = `id, version, name, run, kind, object, columns, key, kept_in, rows, bytes, actor, kept_at, restored_at, purged_at, left_rows,
	restorable, foreign_keys, position, types, altered`

func readTrash(ctx context.Context, conn *pgx.Conn, where string, args ...any) ([]Trash, error) {
	list := []Trash{}
	var exists bool
	if err := conn.QueryRow(ctx, `select to_regclass('portaldb.trash') is not null`).Scan(&exists); err != nil || !exists {
		return list, err
	}
	rows, err := conn.Query(ctx, `select `+trashColumns+` from portaldb.trash where `+where+` order by id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read what is kept: %w", err)
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Trash, err error) {
		err = row.Scan(&t.ID, &t.Version, &t.Name, &t.Run, &t.Kind, &t.Object, &t.Columns, &t.Key, &t.KeptIn, &t.Rows, &t.Bytes, &t.Actor,
			&t.KeptAt, &t.RestoredAt, &t.PurgedAt, &t.LeftRows, &t.Restorable, &t.ForeignKeys, &t.position, &t.types, &t.altered)
		t.KeptAt = t.KeptAt.UTC()
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("read what is kept: %w", err)
	}
	return slices.AppendSeq([]Trash{}, slices.Values(list)), nil
}

// Trash lists what rollbacks have kept and is still there, the oldest first.
func (e *Engine) Trash(ctx context.Context) ([]Trash, error) {
	s, err := e.session(ctx, "trash")
	if err != nil {
		return nil, err
	}
	defer s.close()
	var list []Trash
	err = s.raw(ctx, func(conn *pgx.Conn) (err error) {
		list, err = readTrash(ctx, conn, `purged_at is null and (restored_at is null or left_rows > 0)`)
		return err
	})
	return list, err
}

// PurgeTrash throws away for ever what was kept before a time, or is called by one of the names: those of the objects, or of the
// tables that hold them; both where both are given. It returns what that was. A name that fits nothing is a *RefusedError.
func (e *Engine) PurgeTrash(ctx context.Context, before *time.Time, names []string) ([]Trash, error) {
	s, err := e.session(ctx, "trash")
	if err != nil {
		return nil, err
	}
	defer s.close()
	r := &run{engine: e, session: s}
	if err := r.lock(ctx); err != nil { // an up may be about to put it back
		return nil, untouched(err)
	}
	defer r.unlock(ctx)
	purged := []Trash{}
	err = s.raw(ctx, func(conn *pgx.Conn) error {
		list, err := readTrash(ctx, conn, `purged_at is null and (restored_at is null or left_rows > 0) and ($1::timestamptz is null or kept_at < $1)`, before)
		if err != nil {
			return err
		}
		for _, name := range names {
			if !slices.ContainsFunc(list, func(t Trash) bool { return t.named(name) }) {
				return &RefusedError{fmt.Sprintf("nothing that is kept is called %s, or it is too young; portaldb trash list shows it", name)}
			}
		}
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			for _, t := range list {
				if len(names) > 0 && !slices.ContainsFunc(names, t.named) {
					continue
				}
				if err := t.drop(ctx, tx.Conn()); err != nil {
					return fmt.Errorf("purge %s: %w; nothing changed", t.What(), err)
				}
				err := tx.QueryRow(ctx, `update portaldb.trash set purged_at = now() where id = $1 returning purged_at`, t.ID).Scan(&t.PurgedAt)
				if err != nil {
					return fmt.Errorf("purge %s: %w; nothing changed", t.What(), err)
				}
				purged = append(purged, t)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return purged, nil
}

// named reports whether the entry is called so.
func (t Trash) named(name string) bool {
	return name == t.Object || t.KeptIn != nil && (name == *t.KeptIn || trashSchema+"."+name == *t.KeptIn)
}

// drop drops what holds the data, and the types that nothing else kept is of.
func (t Trash) drop(ctx context.Context, conn *pgx.Conn) error {
	if t.KeptIn == nil {
		return nil
	}
	if _, err := conn.Exec(ctx, `drop table if exists `+*t.KeptIn+` cascade`); err != nil {
		return err
	}
	for _, moved := range t.types {
		_, name, _ := strings.Cut(moved, " ")
		var used bool
		err := conn.QueryRow(ctx, `
			select exists (select from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_type t on a.atttypid in (t.oid, t.typarray)
				where t.oid = to_regtype($1) and not a.attisdropped and c.relkind in ('r', 'p'))`, name).Scan(&used)
		if err != nil {
			return err
		}
		if !used {
			noun, _, _ := strings.Cut(moved, " ")
			if _, err := conn.Exec(ctx, fmt.Sprintf(`drop %s if exists %s`, noun, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// unrestored returns what is kept of the versions and waits to be put back.
func unrestored(ctx context.Context, s *session, todo []File) (list []Trash, err error) {
	versions := make([]int64, len(todo))
	for i, f := range todo {
		versions[i] = f.Version
	}
	err = s.raw(ctx, func(conn *pgx.Conn) (err error) {
		list, err = readTrash(ctx, conn, `version = any ($1) and restorable and restored_at is null and purged_at is null`, versions)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for what rollbacks have kept: %w", err)
	}
	return list, nil
}

// KeptError is the refusal of an up over data that is kept, which would be missing.
type KeptError struct{ RefusedError }

func (e *KeptError) Unwrap() error { return &e.RefusedError }

// refuseTrash refuses an up over kept data: the tables and columns would come back empty.
func refuseTrash(list []Trash) error {
	if len(list) == 0 {
		return nil
	}
	names := make([]string, 0, len(list))
	for _, t := range list {
		if t.Kind != "sequence" {
			names = append(names, t.What())
		}
	}
	slices.Sort(names)
	return &KeptError{RefusedError{fmt.Sprintf("data of %s is kept since a rollback and would be missing: portaldb up --restore-trash puts it back, portaldb trash purge throws it away for ever",
		cmp.Or(strings.Join(slices.Compact(names), ", "), list[0].What()))}}
}
