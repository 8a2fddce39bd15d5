package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Hold stops Up on a database, wherever it is started.
type Hold struct {
	Reason string     `json:"reason"`
	Actor  string     `json:"actor"`
	Since  time.Time  `json:"since"`
	Until  *time.Time `json:"until"`
}

func (h Hold) String() string {
	text := fmt.Sprintf("%q, by %s since %s", h.Reason, h.Actor, h.Since.Format(time.RFC3339))
	if h.Until != nil {
		text += " until " + h.Until.Format(time.RFC3339)
	}
	return text
}

// activeHold selects the hold that is in force. One that came along with a copy of another environment is not.
const activeHold = `
	select reason, actor, since, until from portaldb.holds
	where released_at is null and (until is null or until > now())
	  and environment is not distinct from (select environment from portaldb.meta)
	order by since limit 1`

// readHold returns the hold that is in force, nil when there is none.
func readHold(ctx context.Context, s *session) (*Hold, error) {
	var h Hold
	err := s.db.QueryRowContext(ctx, activeHold).Scan(&h.Reason, &h.Actor, &h.Since, &h.Until)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the hold: %w", err)
	}
	h.Since = h.Since.UTC()
	if h.Until != nil {
		until := h.Until.UTC()
		h.Until = &until
	}
	return &h, nil
}

// Hold sets a hold, until it is released or, if until is not nil, until then. It does not wait for a run under way, which
// ends as it would. A *RefusedError tells that there is a hold already.
func (e *Engine) Hold(ctx context.Context, reason string, until *time.Time) (Hold, error) {
	s, err := e.session(ctx, "hold")
	if err != nil {
		return Hold{}, err
	}
	defer s.close()
	r := &run{engine: e, session: s}
	if err := r.bootstrap(ctx); err != nil {
		return Hold{}, err
	}
	// One that is over, or came along with a copy of another environment, gives way: the index lets only one be there.
	_, err = s.db.ExecContext(ctx, `
		update portaldb.holds set released_at = now(), released_by = 'no longer in force'
		where released_at is null and (until <= now() or environment is distinct from (select environment from portaldb.meta))`)
	if err != nil {
		return Hold{}, fmt.Errorf("set the hold: %w", err)
	}
	_, err = s.db.ExecContext(ctx, `
		insert into portaldb.holds (reason, actor, until, environment) values ($1, $2, $3, (select environment from portaldb.meta))`,
		reason, e.config.Actor.Name, until)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.ConstraintName == "holds_one_active_idx" {
		held, err := readHold(ctx, s)
		if err != nil {
			return Hold{}, err
		}
		if held == nil {
			return Hold{}, &RefusedError{"there was a hold, and it has just been released; set it again if it is still wanted"}
		}
		return Hold{}, &RefusedError{"there is a hold already: " + held.String()}
	}
	if err != nil {
		return Hold{}, fmt.Errorf("set the hold: %w", err)
	}
	held, err := readHold(ctx, s)
	if err != nil || held == nil {
		return Hold{}, errors.Join(err, errors.New("the hold is not there after it was set"))
	}
	return *held, nil
}

// ReleaseHold releases the hold and returns it; nil when there was none.
func (e *Engine) ReleaseHold(ctx context.Context) (*Hold, error) {
	s, err := e.session(ctx, "release-hold")
	if err != nil {
		return nil, err
	}
	defer s.close()
	st, err := readState(ctx, s)
	if err != nil || st.hold == nil {
		return nil, err
	}
	_, err = s.db.ExecContext(ctx, `update portaldb.holds set released_at = now(), released_by = $1 where released_at is null`, e.config.Actor.Name)
	if err != nil {
		return nil, fmt.Errorf("release the hold: %w", err)
	}
	return st.hold, nil
}
