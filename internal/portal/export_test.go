package portal

import "time"

// SubmissionCursor returns a cursor behind that place of a list of submissions.
func SubmissionCursor(filter SubmissionFilter, at time.Time, id string) string {
	if err := filter.normalize(); err != nil {
		panic(err)
	}
	return start[SubmissionFilter]{list: "submissions", filter: filter, limit: DefaultLimit}.next(at, id)
}

// AuditCursor is SubmissionCursor for audit events.
func AuditCursor(filter AuditFilter, at time.Time, id string) string {
	if err := filter.normalize(); err != nil {
		panic(err)
	}
	return start[AuditFilter]{list: "audits", filter: filter, limit: DefaultLimit}.next(at, id)
}

// SetClock makes the service take the time from clock.
func (s *Service) SetClock(clock func() time.Time) { s.now = clock }

// Recode decodes a cursor of submissions and encodes it again.
func Recode(text string) (string, bool) {
	c, err := decodeCursor[SubmissionFilter](text, "submissions")
	if err != nil {
		return "", false
	}
	return c.encode(), true
}
