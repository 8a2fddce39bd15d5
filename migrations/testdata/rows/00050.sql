INSERT INTO service.api_tokens (id, name, role, token_hash, created_at, expires_at, revoked_at) VALUES
    ('00000000-0000-4000-8000-000000000901', '', 'reader', decode(repeat('00', 32), 'hex'), '-infinity', NULL, NULL),
    ('00000000-0000-4000-8000-000000000902', 'ação 漢字', 'admin', decode(repeat('ff', 32), 'hex'), now(), '-infinity', 'infinity'),
    ('00000000-0000-4000-8000-000000000903', 'ação 漢字', 'writer', decode(repeat('0f', 32), 'hex'), now(), 'infinity', NULL);
