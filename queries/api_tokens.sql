-- GetAPITokenByHash returns the token with that SHA-256, expired and revoked ones too; no row if there is none.
-- name: GetAPITokenByHash :one
SELECT id, name, role, created_at, expires_at, revoked_at
FROM service.api_tokens
WHERE token_hash = @token_hash;

-- ListAPITokens returns every token, expired and revoked ones too, the newest first.
-- name: ListAPITokens :many
SELECT id, name, role, created_at, expires_at, revoked_at
FROM service.api_tokens
ORDER BY created_at DESC, id;

-- CreateAPIToken adds a token by its SHA-256.
-- name: CreateAPIToken :one
INSERT INTO service.api_tokens (name, role, token_hash, expires_at)
VALUES (@name, @role, @token_hash, sqlc.narg('expires_at'))
RETURNING id, name, role, created_at, expires_at, revoked_at;

-- RevokeAPIToken revokes a token; one that is revoked already keeps the time of the first revocation. No row if there is
-- none with that id.
-- name: RevokeAPIToken :one
UPDATE service.api_tokens
SET revoked_at = COALESCE(revoked_at, now())
WHERE id = @id
RETURNING id, name, role, created_at, expires_at, revoked_at;
