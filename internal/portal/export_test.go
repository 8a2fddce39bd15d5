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

// FileCursor is SubmissionCursor for files.
func FileCursor(filter FileFilter, at time.Time, id string) string {
	if err := filter.normalize(); err != nil {
		panic(err)
	}
	return start[FileFilter]{list: "files", filter: filter, limit: DefaultLimit}.next(at, id)
}

// SetClock makes f take the time from clock, where it is not that of the database.
func (f *Files) SetClock(clock func() time.Time) { f.now = clock }

// SetHeartbeat says how often an upload says that it lasts.
func (f *Files) SetHeartbeat(every time.Duration) { f.heartbeat = every }

// ID is that of the file to be.
func (u *Upload) ID() string { return u.id }

// Freeze keeps the upload from saying that it lasts, as a process does that dies.
func (u *Upload) Freeze() { u.stop() }

// VerifySecret is verifySecret.
func VerifySecret(hash, secret string) bool { return verifySecret(hash, secret) }

// Network is network.
func Network(address string) string { return network(address) }
