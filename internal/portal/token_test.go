package portal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"portaldb/internal/portal"
)

func TestService_Tokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	clock := time.Now()
	b.service.SetClock(func() time.Time { return clock })
	expires := clock.Add(time.Hour)
	token, secret, err := b.service.CreateToken(t.Context(), "bff", portal.RoleWriter, &expires)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(secret, "pdb_") || len(secret) != 47 {
		t.Errorf("secret %q", secret)
	}
	if n := value[int](t, b, "SELECT count(*) FROM service.api_tokens WHERE token_hash = sha256(convert_to($1, 'UTF8')) AND to_jsonb(api_tokens)::text NOT LIKE '%' || $1 || '%'", secret); n != 1 {
		t.Error("the table does not hold the SHA-256 of the secret, or it holds the secret")
	}

	got, err := b.service.Authenticate(t.Context(), secret)
	if err != nil || got.ID != token.ID || got.Name != "bff" || got.Role != portal.RoleWriter {
		t.Errorf("%+v, %v", got, err)
	}
	for _, wrong := range []string{"", "pdb_", secret[:46] + "!", secret + "x", strings.ToUpper(secret), secret[4:], "xxx_" + secret[4:]} {
		_, err := b.service.Authenticate(t.Context(), wrong)
		wantCode(t, err, portal.CodeUnauthenticated)
	}

	t.Run("expiry takes effect at its time, though the token was just believed", func(t *testing.T) {
		clock = expires.Add(-time.Second)
		if _, err := b.service.Authenticate(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		clock = expires.Truncate(time.Microsecond)
		_, err := b.service.Authenticate(t.Context(), secret)
		wantCode(t, err, portal.CodeUnauthenticated)
	})

	t.Run("revocation takes effect within the time that a token is believed", func(t *testing.T) {
		token, secret, err := b.service.CreateToken(t.Context(), "console", portal.RoleReader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.service.Authenticate(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		revoked, err := b.service.RevokeToken(t.Context(), token.ID)
		if err != nil || revoked.RevokedAt == nil {
			t.Fatalf("%+v, %v", revoked, err)
		}
		again, err := b.service.RevokeToken(t.Context(), token.ID)
		if err != nil || !again.RevokedAt.Equal(*revoked.RevokedAt) {
			t.Errorf("revoked again: %+v, %v", again, err)
		}
		clock = clock.Add(portal.TokenCacheFor)
		_, err = b.service.Authenticate(t.Context(), secret)
		wantCode(t, err, portal.CodeUnauthenticated)
	})

	t.Run("wrong", func(t *testing.T) {
		_, _, err := b.service.CreateToken(t.Context(), " ", portal.RoleReader, nil)
		wantCode(t, err, portal.CodeInvalid)
		_, _, err = b.service.CreateToken(t.Context(), "x", "root", nil)
		wantCode(t, err, portal.CodeInvalid)
		_, _, err = b.service.CreateToken(t.Context(), "x", portal.RoleReader, ptr(clock.Add(-time.Hour)))
		wantCode(t, err, portal.CodeInvalid)
		_, err = b.service.RevokeToken(t.Context(), uuid.New())
		wantCode(t, err, portal.CodeNotFound)
	})

	if tokens, err := b.service.ListTokens(t.Context()); err != nil || len(tokens) != 2 || tokens[1].ID != token.ID {
		t.Errorf("%+v, %v", tokens, err)
	}
}

func TestRole_Includes(t *testing.T) {
	t.Parallel()
	roles := []portal.Role{"", "root", portal.RoleReader, portal.RoleWriter, portal.RoleAdmin}
	for i, role := range roles {
		for j, other := range roles[2:] {
			if got, want := role.Includes(other), i >= 2 && i >= j+2; got != want {
				t.Errorf("%q includes %q: %t", role, other, got)
			}
		}
	}
}
