-- GetFileStore returns the marker of a root. No row if none is known.
-- name: GetFileStore :one
SELECT marker FROM service.file_stores WHERE root = @root;

-- CreateFileStore notes the marker of a root, unless one is known already, and returns the one that is.
-- name: CreateFileStore :one
INSERT INTO service.file_stores AS s (root, marker) VALUES (@root, @marker)
ON CONFLICT (root) DO UPDATE SET root = s.root
RETURNING s.marker;

-- ListNewestPaths returns the paths of the newest files below a root that should be there.
-- name: ListNewestPaths :many
SELECT f.path FROM public.fileshare_items AS f
WHERE f.deleted_at IS NULL AND f.expires_at > now() AND starts_with(f.path, @root::text)
ORDER BY f.created_at DESC, f.id DESC
LIMIT @row_limit::bigint;
