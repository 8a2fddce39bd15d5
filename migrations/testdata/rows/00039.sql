-- Two rows of one time, which only the id tells apart, and times at both ends, with the keyset indexes in place.
INSERT INTO submissions (id, kind, version, payload, status, created_at) VALUES
    ('same time 1', 'pca', '1', '{}', 'queued', '2026-01-01 00:00:00.000001+00'),
    ('same time 2', 'pca', '1', '{}', 'queued', '2026-01-01 00:00:00.000001+00'),
    ('time at the end', 'pca', '1', '[[]]', 'done', 'infinity'),
    (repeat('long id ', 100), repeat('long kind ', 50), '', '-0.00', 'error', '-infinity');
