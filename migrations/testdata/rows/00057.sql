-- Actors that stand for many, with the indexes on them in place: rows of one time, and values as long as the other
-- indexes take them.
INSERT INTO submissions (id, kind, version, actor_cpf, payload, status, created_at) VALUES
    ('pseudo 1', 'ponto_saldo', '1', '', '{}', 'done', '2026-01-01'),
    ('pseudo 2', 'ponto_saldo', '1', '', '{}', 'done', '2026-01-01'),
    (repeat('long anonymous id ', 50), repeat('long kind ', 100), '1', 'anonymous', '{}', 'running', 'infinity');
INSERT INTO automation_audits (at, kind, action, actor_cpf) VALUES
    ('2026-01-01', 'ponto_saldo', 'completed', ''),
    ('2026-01-01', 'ponto_saldo', 'completed', ''),
    ('-infinity', repeat('kind ', 250), repeat('action ', 150), 'anonymous');
