INSERT INTO fileshare_items (id, filename, size, content_type, path, created_at, expires_at, secret_hash, deleted_at, sha256, max_downloads, purged_at) VALUES
    ('with-sha256-00', 'ação 漢字.pdf', 0, 'application/pdf', 's3://bucket/2026/01/01/with-sha256-00', '2026-01-01', '2026-01-08', NULL, NULL,
     decode(repeat('00', 32), 'hex'), 1, NULL),
    ('with-sha256-ff', 'x', 1, NULL, '/data/uploads/2026/01/01/with-sha256-ff', '2026-01-01', '2026-01-08',
     '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '2026-01-02',
     decode(repeat('ff', 32), 'hex'), 2147483647, 'infinity');
