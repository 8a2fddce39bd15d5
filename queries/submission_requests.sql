-- GetSubmissionRequest returns the hash of the request that created a submission; no row if it was created without an id
-- of its own, or by the legacy code.
-- name: GetSubmissionRequest :one
SELECT request_hash
FROM service.submission_requests
WHERE submission_id = @submission_id;
