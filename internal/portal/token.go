package portal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"portaldb/db"
)

// Role is what a token allows. Each role includes the ones before it.
type Role string

// The roles.
const (
	RoleReader Role = "reader"
	RoleWriter Role = "writer"
	RoleAdmin  Role = "admin"
)

var ranks = map[Role]int{RoleReader: 1, RoleWriter: 2, RoleAdmin: 3}

// Includes says whether r allows what the other role does.
func (r Role) Includes(other Role) bool { return ranks[r] >= ranks[other] && ranks[r] > 0 }

// Token is the right to use the HTTP API. The secret itself is not kept, only its SHA-256.
type Token struct {
	ID        uuid.UUID
	Name      string
	Role      Role
	CreatedAt time.Time
	ExpiresAt *time.Time // nil: never
	RevokedAt *time.Time // nil: not revoked
}

const (
	// tokenPrefix lets people and secret scanners recognise a token.
	tokenPrefix = "pdb_"
	tokenBytes  = 32
)

var tokenLength = len(tokenPrefix) + base64.RawURLEncoding.EncodedLen(tokenBytes)

// TokenCacheFor is how long a token that was accepted is believed without asking the database, and so the longest time
// after which a revocation takes effect. Expiry always takes effect at its time.
const TokenCacheFor = 10 * time.Second

// CreateToken makes a token and returns its secret, which cannot be had again.
func (s *Service) CreateToken(ctx context.Context, name string, role Role, expiresAt *time.Time) (_ Token, secret string, err error) {
	switch {
	case strings.TrimSpace(name) == "":
		return Token{}, "", invalid("name is required")
	case ranks[role] == 0:
		return Token{}, "", invalid("role must be reader, writer or admin")
	case expiresAt != nil && !expiresAt.After(s.now()):
		return Token{}, "", invalid("expires_at must lie in the future")
	}
	random := make([]byte, tokenBytes)
	rand.Read(random) // never fails
	secret = tokenPrefix + base64.RawURLEncoding.EncodeToString(random)
	hash := sha256.Sum256([]byte(secret))
	row, err := s.primary.CreateAPIToken(ctx, db.CreateAPITokenParams{
		Name:      name,
		Role:      string(role),
		TokenHash: hash[:],
		ExpiresAt: instant(expiresAt),
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("create token: %w", err)
	}
	return newToken(db.GetAPITokenByHashRow(row)), secret, nil
}

// ListTokens returns every token, expired and revoked ones too, the newest first.
func (s *Service) ListTokens(ctx context.Context) ([]Token, error) {
	rows, err := s.primary.ListAPITokens(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	tokens := make([]Token, len(rows))
	for i, row := range rows {
		tokens[i] = newToken(db.GetAPITokenByHashRow(row))
	}
	return tokens, nil
}

// RevokeToken revokes a token for good, which takes effect within TokenCacheFor; one that is revoked already stays so.
// CodeNotFound if there is none with that id.
func (s *Service) RevokeToken(ctx context.Context, id uuid.UUID) (Token, error) {
	row, err := s.primary.RevokeAPIToken(ctx, id)
	if ErrorCode(err) == CodeNotFound {
		return Token{}, &Error{Code: CodeNotFound, Message: "there is no token with this id"}
	}
	if err != nil {
		return Token{}, fmt.Errorf("revoke token: %w", err)
	}
	return newToken(db.GetAPITokenByHashRow(row)), nil
}

// Authenticate returns the token with that secret. CodeUnauthenticated if there is none, or if it is expired or revoked.
func (s *Service) Authenticate(ctx context.Context, secret string) (Token, error) {
	if len(secret) != tokenLength || !strings.HasPrefix(secret, tokenPrefix) {
		return Token{}, &Error{Code: CodeUnauthenticated, Message: "the token is not known"}
	}
	hash := tokenHash(sha256.Sum256([]byte(secret)))
	now := s.now()
	token, ok := s.tokens.get(hash, now)
	if !ok {
		row, err := s.primary.GetAPITokenByHash(ctx, hash[:])
		if ErrorCode(err) == CodeNotFound {
			return Token{}, &Error{Code: CodeUnauthenticated, Message: "the token is not known"}
		}
		if err != nil {
			return Token{}, err
		}
		token = newToken(row)
	}
	switch {
	case token.RevokedAt != nil:
		return Token{}, &Error{Code: CodeUnauthenticated, Message: "the token is revoked"}
	case token.ExpiresAt != nil && !now.Before(*token.ExpiresAt):
		return Token{}, &Error{Code: CodeUnauthenticated, Message: "the token has expired"}
	}
	if !ok {
		s.tokens.put(hash, token, now)
	}
	return token, nil
}

type tokenHash [sha256.Size]byte

// tokenCache remembers tokens that were accepted. It needs no secrets: a hash that is found by its value gives nothing
// away about others.
type tokenCache struct {
	mu      sync.RWMutex
	entries map[tokenHash]tokenEntry
}

type tokenEntry struct {
	token Token
	until time.Time
}

// maxTokenEntries bounds the cache; there are far fewer callers.
const maxTokenEntries = 1000

func (c *tokenCache) get(hash tokenHash, now time.Time) (Token, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	entry, ok := c.entries[hash]
	return entry.token, ok && now.Before(entry.until)
}

func (c *tokenCache) put(hash tokenHash, token Token, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= maxTokenEntries {
		clear(c.entries)
	}
	c.entries[hash] = tokenEntry{token, now.Add(TokenCacheFor)}
}

func newToken(row db.GetAPITokenByHashRow) Token {
	return Token{
		ID:        row.ID,
		Name:      row.Name,
		Role:      Role(row.Role),
		CreatedAt: row.CreatedAt,
		ExpiresAt: row.ExpiresAt,
		RevokedAt: row.RevokedAt,
	}
}
