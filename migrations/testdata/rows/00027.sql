INSERT INTO fileshare_items (id, filename, size, content_type, path, owner_id, owner_name, created_at, expires_at, secret_hash, downloads, deleted_at) VALUES
    ('ab-_AB01234567', E'relatório "final" \r\n.pdf', 0, NULL, '/data/uploads/2026/01/01/ab-_AB01234567', NULL, NULL, '2026-01-01', '2026-01-08', NULL, 0, NULL),
    ('zzzzzzzzzzzzzz', '', 9223372036854775807, '', '/data/uploads/2026/01/02/zzzzzzzzzzzzzz', '', '', '2026-01-02', 'infinity',
     'sha256:0123456789abcdef:0000000000000000000000000000000000000000000000000000000000000000', 2147483647, '2026-01-03'),
    ('', '../../etc/passwd', 1, 'text/html; charset="x"', '', '00000000001', 'ção', '-infinity', '-infinity', '', 1, 'infinity');
