package portal_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portaldb/internal/portal"
)

func TestService_Stats(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `
		INSERT INTO submissions (id, kind, version, payload, status, created_at) VALUES
		('1', 'dfd', '1', '{}', 'done', '2026-05-02T02:59:59Z'),
		('2', 'dfd', '1', '{}', 'done', '2026-05-02T03:00:00Z'),
		('3', 'dfd', '1', '{}', 'queued', '2026-05-31T12:00:00Z'),
		('4', '', '1', '{}', 'done', '2026-05-31T12:00:00Z'),
		('5', 'dfd', '1', '{}', 'done', '2026-05-31T12:00:00Z'),
		('6', 'dfd', '1', '{}', 'done', '2026-05-31T13:00:00Z')`)
	b.service.SetClock(func() time.Time { return time.Date(2026, 5, 31, 13, 0, 0, 0, time.UTC) })

	day := func(day, kind, status string, count int64) portal.StatsDay {
		return portal.StatsDay{Day: day, StatsGroup: portal.StatsGroup{Kind: kind, Status: status, Count: count}}
	}
	got, err := b.service.Stats(t.Context(), portal.StatsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := portal.Stats{
		Since:    time.Date(2026, 5, 2, 3, 0, 0, 0, time.UTC),
		Until:    time.Date(2026, 5, 31, 13, 0, 0, 0, time.UTC),
		TimeZone: "America/Sao_Paulo",
		Total:    4,
		Groups:   []portal.StatsGroup{{"", "done", 1}, {"dfd", "done", 2}, {"dfd", "queued", 1}},
		Days: []portal.StatsDay{
			day("2026-05-02", "dfd", "done", 1),
			day("2026-05-31", "", "done", 1), day("2026-05-31", "dfd", "done", 1), day("2026-05-31", "dfd", "queued", 1),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	utc, err := b.service.Stats(t.Context(), portal.StatsRequest{TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	if utc.Total != 5 || utc.Days[0] != day("2026-05-02", "dfd", "done", 2) {
		t.Errorf("in UTC: %+v", utc)
	}

	now := time.Now()
	for name, request := range map[string]portal.StatsRequest{
		"time zone":       {TimeZone: "Middle/Earth"},
		"local time zone": {TimeZone: "Local"},
		"path":            {TimeZone: "../etc/passwd"},
		"backwards":       {Since: &now, Until: ptr(now.Add(-time.Hour))},
		"too long":        {Since: ptr(now.AddDate(-2, 0, 0))},
		"year 10000":      {Since: ptr(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)), Until: ptr(time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200)))},
	} {
		_, err := b.service.Stats(t.Context(), request)
		if portal.ErrorCode(err) != portal.CodeInvalid {
			t.Errorf("%s: error %v, want one of code invalid", name, err)
		}
	}

	b.exec(t, "ALTER TABLE submissions DISABLE TRIGGER USER")
	b.exec(t, "DELETE FROM submissions")
	if empty, err := b.service.Stats(t.Context(), portal.StatsRequest{}); err != nil || empty.Total != 0 {
		t.Errorf("of nothing: %+v, %v", empty, err)
	}
}
