package postgres

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// finite reads timestamps of PostgreSQL that a time.Time, or RFC 3339, cannot express as the first or last moment that
// both can: old rows may hold infinity, and a list must not fail for one of them.
type finite struct{ *pgtype.TimestamptzCodec }

var (
	firstMoment = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	lastMoment  = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
)

// PlanScan returns how to read a timestamp into target.
func (c finite) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*time.Time); ok && format == pgtype.BinaryFormatCode {
		return scanFinite{}
	}
	return c.TimestamptzCodec.PlanScan(m, oid, format, target)
}

type scanFinite struct{}

// Scan reads eight bytes: microseconds since 2000, the extremes standing for infinity.
func (scanFinite) Scan(src []byte, dst any) error {
	var value pgtype.Timestamptz
	if err := (&pgtype.TimestamptzCodec{}).PlanScan(nil, pgtype.TimestamptzOID, pgtype.BinaryFormatCode, &value).Scan(src, &value); err != nil {
		return err
	}
	at := value.Time
	switch {
	case value.InfinityModifier == pgtype.Infinity || at.After(lastMoment):
		at = lastMoment
	case value.InfinityModifier == pgtype.NegativeInfinity || at.Before(firstMoment):
		at = firstMoment
	}
	*dst.(*time.Time) = at.UTC()
	return nil
}
