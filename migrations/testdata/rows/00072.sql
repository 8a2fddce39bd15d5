INSERT INTO service.file_uploads (file_id, path, alive_at, abandoned_at, claimed_at) VALUES
    ('', '', '-infinity', NULL, NULL),
    ('up-_AB01234567', '/data/uploads/2026/01/01/up-_AB01234567', now(), 'infinity', '2026-01-01');
