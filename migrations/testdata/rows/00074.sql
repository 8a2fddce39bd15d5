INSERT INTO service.file_links (file_id, token_hash, created_at, expires_at, created_by, actor_cpf, revoked_at) VALUES
    ('', decode(repeat('00', 32), 'hex'), '-infinity', '-infinity', '', NULL, NULL),
    ('ab-_AB01234567', decode(repeat('ff', 32), 'hex'), now(), 'infinity', 'serviço', '00000000001', '2026-01-01');
