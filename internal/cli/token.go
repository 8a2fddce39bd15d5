package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"portaldb/internal/portal"
	"portaldb/internal/postgres"
)

type tokenCommand struct {
	Create tokenCreate `cmd:"" help:"Make a token and print it: it cannot be had again."`
	List   tokenList   `cmd:"" help:"List all tokens, without what is secret."`
	Revoke tokenRevoke `cmd:"" help:"Revoke a token for good."`
}

type tokenCreate struct {
	database
	Name    string        `arg:"" help:"Who uses it, for the log and the audit trail."`
	Role    string        `required:"" placeholder:"ROLE" enum:"reader,writer,admin" help:"What it allows: reader, writer or admin."`
	Expires time.Duration `placeholder:"DURATION" help:"How long it is valid, such as 720h; without it, until it is revoked."`
}

// Help is the long help.
func (tokenCreate) Help() string {
	return `Only a hash of the token is kept. To rotate one, create the next, hand it out, then revoke the old one.

Examples:

    portaldb token create reports --role reader
    portaldb token create worker --role writer --expires 720h --json`
}

// Run makes a token.
func (c tokenCreate) Run(ctx context.Context, a *app) error {
	if c.Expires < 0 {
		return usageError{"--expires takes a duration above zero, such as 720h"}
	}
	var expires *time.Time
	if c.Expires > 0 {
		t := time.Now().Add(c.Expires)
		expires = &t
	}
	return c.withService(ctx, func(s *portal.Service) error {
		token, secret, err := s.CreateToken(ctx, c.Name, portal.Role(c.Role), expires)
		if err != nil {
			return err
		}
		view := viewToken(token)
		view["token"] = secret
		return a.print(view, secret+"\n")
	})
}

type tokenList struct{ database }

// Help is the long help.
func (tokenList) Help() string {
	return `Examples:

    portaldb token list
    portaldb token list --json`
}

// Run lists the tokens.
func (c tokenList) Run(ctx context.Context, a *app) error {
	return c.withService(ctx, func(s *portal.Service) error {
		tokens, err := s.ListTokens(ctx)
		if err != nil {
			return err
		}
		views := make([]map[string]any, len(tokens))
		var text strings.Builder
		fmt.Fprintf(&text, "%-36s  %-6s  %-8s  %-20s  %s\n", "id", "role", "state", "expires", "name")
		for i, t := range tokens {
			views[i] = viewToken(t)
			expires := "never"
			if t.ExpiresAt != nil {
				expires = t.ExpiresAt.UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(&text, "%-36s  %-6s  %-8s  %-20s  %s\n", t.ID, t.Role, tokenState(t), expires, t.Name)
		}
		return a.print(map[string]any{"tokens": views}, text.String())
	})
}

func tokenState(t portal.Token) string {
	switch {
	case t.RevokedAt != nil:
		return "revoked"
	case t.ExpiresAt != nil && !t.ExpiresAt.After(time.Now()):
		return "expired"
	default:
		return "valid"
	}
}

type tokenRevoke struct {
	database
	ID string `arg:"" help:"The token's id, as token list shows it."`
}

// Help is the long help.
func (tokenRevoke) Help() string {
	return fmt.Sprintf(`Takes effect on every replica within %s.

Examples:

    portaldb token revoke 6f1c2a34-7f0e-4c55-9d0a-0d5a4f2f1c11
    portaldb token revoke 6f1c2a34-7f0e-4c55-9d0a-0d5a4f2f1c11 --json`, portal.TokenCacheFor)
}

// Run revokes a token.
func (c tokenRevoke) Run(ctx context.Context, a *app) error {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return usageError{"ID takes a token's id, as token list shows it"}
	}
	return c.withService(ctx, func(s *portal.Service) error {
		token, err := s.RevokeToken(ctx, id)
		if err != nil {
			return err
		}
		return a.print(viewToken(token), fmt.Sprintf("revoked %s (%s)\n", token.ID, token.Name))
	})
}

// viewToken is a token as programs read it. Absent times are null.
func viewToken(t portal.Token) map[string]any {
	return map[string]any{
		"id": t.ID, "name": t.Name, "role": t.Role, "created_at": t.CreatedAt, "expires_at": t.ExpiresAt, "revoked_at": t.RevokedAt,
	}
}

// withService opens the database for one operation.
func (d database) withService(ctx context.Context, operate func(*portal.Service) error) error {
	url, err := d.url()
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, postgres.Config{URL: url, ApplicationName: "portaldb token"})
	if err != nil {
		return err
	}
	defer db.Close()
	err = operate(portal.New(db.Primary(), db.Reads()))
	if isUndefinedTable(err) {
		return errors.New("the database has no table for tokens yet: run portaldb up first; nothing changed")
	}
	return err
}

// isUndefinedTable tells the SQLSTATE undefined_table.
func isUndefinedTable(err error) bool {
	var state interface{ SQLState() string }
	return errors.As(err, &state) && state.SQLState() == "42P01"
}
