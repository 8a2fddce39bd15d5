package portal

import (
	"cmp"
	"context"
	"slices"
	"time"
	_ "time/tzdata" // a container need not have the time zones

	"portaldb/db"
)

// DefaultTimeZone is where the agency is.
const DefaultTimeZone = "America/Sao_Paulo"

const (
	defaultStatsDays = 30
	maxStatsDays     = 366
)

// StatsRequest says what Stats counts. Its zero value means the last 30 days, today included, in DefaultTimeZone.
type StatsRequest struct {
	Since    *time.Time // nil: the beginning of the 30th day, that of Until included
	Until    *time.Time // nil: now
	TimeZone string     // in which days begin, a name of the IANA database
}

// Stats are counts of the submissions made in [Since, Until).
type Stats struct {
	Since    time.Time
	Until    time.Time
	TimeZone string
	Total    int64
	Groups   []StatsGroup
	Days     []StatsDay
}

// StatsGroup counts the submissions of one kind and status.
type StatsGroup struct {
	Kind   string
	Status string
	Count  int64
}

// StatsDay counts the submissions of one kind and status made on one day.
type StatsDay struct {
	Day string // YYYY-MM-DD
	StatsGroup
}

// Stats counts submissions by kind and status, in all and by day, leaving out what there is none of. Days are in order,
// and within each of them and in Groups kinds and statuses are. Up to 366 days can be counted at once.
func (s *Service) Stats(ctx context.Context, request StatsRequest) (Stats, error) {
	if request.TimeZone == "" {
		request.TimeZone = DefaultTimeZone
	}
	zone, err := time.LoadLocation(request.TimeZone)
	if err != nil || request.TimeZone == "Local" {
		return Stats{}, invalid("tz must be the name of a time zone, like " + DefaultTimeZone)
	}
	stats := Stats{Until: s.now(), TimeZone: request.TimeZone}
	if request.Until != nil {
		stats.Until = *instant(request.Until)
	}
	year, month, day := stats.Until.In(zone).Date()
	stats.Since = time.Date(year, month, day-defaultStatsDays+1, 0, 0, 0, 0, zone)
	if request.Since != nil {
		stats.Since = *instant(request.Since)
	}
	switch {
	case !validTime(stats.Since) || !validTime(stats.Until):
		return Stats{}, invalid("since and until must lie in the years 1 to 9999")
	case !stats.Since.Before(stats.Until):
		return Stats{}, invalid("since must be before until")
	case stats.Until.Sub(stats.Since) > maxStatsDays*24*time.Hour:
		return Stats{}, invalid("since and until must not be more than 366 days apart")
	}

	rows, err := s.reads.CountSubmissions(ctx, db.CountSubmissionsParams{
		Tz:    stats.TimeZone,
		Since: stats.Since,
		Until: stats.Until,
	})
	if err != nil {
		return Stats{}, err
	}
	stats.Days = make([]StatsDay, len(rows))
	for i, row := range rows {
		stats.Days[i] = StatsDay{row.Day, StatsGroup{row.Kind, row.Status, row.Count}}
		stats.Total += row.Count
	}
	stats.Groups = groups(stats.Days)
	return stats, nil
}

// groups sums days up by kind and status.
func groups(days []StatsDay) []StatsGroup {
	type key struct{ kind, status string }
	counts := make(map[key]int64)
	for _, day := range days {
		counts[key{day.Kind, day.Status}] += day.Count
	}
	sums := make([]StatsGroup, 0, len(counts))
	for k, count := range counts {
		sums = append(sums, StatsGroup{k.kind, k.status, count})
	}
	slices.SortFunc(sums, func(a, b StatsGroup) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Status, b.Status))
	})
	return sums
}
