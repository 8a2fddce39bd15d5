package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"portaldb/internal/portal"
)

// stats is portal.Stats on the wire.
type stats struct {
	Since  time.Time    `json:"since"`
	Until  time.Time    `json:"until"`
	TZ     string       `json:"tz"`
	Total  int64        `json:"total"`
	Groups []statsGroup `json:"groups" doc:"By kind and status."`
	Days   []statsDay   `json:"days" doc:"By day, kind and status, without what there is none of."`
}

type statsGroup struct {
	Kind   string `json:"kind"`
	Status string `json:"status"`
	Count  int64  `json:"count"`
}

type statsDay struct {
	Day    string `json:"day" format:"date"`
	Kind   string `json:"kind"`
	Status string `json:"status"`
	Count  int64  `json:"count"`
}

type getStats struct{ request portal.StatsRequest }

// Resolve reads the parameters.
func (g *getStats) Resolve(ctx huma.Context) []error {
	q := readQuery(ctx)
	g.request = portal.StatsRequest{Since: q.time("since"), Until: q.time("until")}
	if tz := q.text("tz"); tz != nil {
		g.request.TimeZone = *tz
	}
	return q.errs
}

type oneStats struct{ Body *stats }

func (a *API) addStats() {
	register(a, huma.Operation{
		OperationID: "get-stats",
		Method:      http.MethodGet,
		Path:        "/v1/stats",
		Summary:     "Count submissions by kind and status, in all and by day",
		Description: "Without since and until: the last 30 days, today included. Up to 366 days.",
		Tags:        []string{"stats"},
		Parameters: []*huma.Param{
			sinceParam, untilParam,
			textParam("tz", "The time zone in which days begin. Default: "+portal.DefaultTimeZone+"."),
		},
	}, portal.RoleReader, a.getStats)
}

func (a *API) getStats(ctx context.Context, in *getStats) (*oneStats, error) {
	counted, err := a.service.Stats(ctx, in.request)
	if err != nil {
		return nil, err
	}
	answer := &stats{
		Since:  counted.Since.UTC(),
		Until:  counted.Until.UTC(),
		TZ:     counted.TimeZone,
		Total:  counted.Total,
		Groups: make([]statsGroup, len(counted.Groups)),
		Days:   make([]statsDay, len(counted.Days)),
	}
	for i, group := range counted.Groups {
		answer.Groups[i] = statsGroup(group)
	}
	for i, day := range counted.Days {
		answer.Days[i] = statsDay{day.Day, day.Kind, day.Status, day.Count}
	}
	return &oneStats{answer}, nil
}
