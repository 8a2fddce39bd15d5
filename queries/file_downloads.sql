-- DeleteOldDownloads forgets who has started downloads that StartDownload lets go on no more.
-- name: DeleteOldDownloads :execrows
DELETE FROM service.file_downloads
WHERE (file_id, address) IN (
  SELECT d.file_id, d.address FROM service.file_downloads AS d
  WHERE d.started_at < now() - interval '24 hours'
  FOR UPDATE SKIP LOCKED
);
