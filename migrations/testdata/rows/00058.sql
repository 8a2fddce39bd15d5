INSERT INTO service.submission_requests (submission_id, request_hash, created_at) VALUES
    ('', decode(repeat('00', 32), 'hex'), '-infinity'),
    ('ação 漢字', decode(repeat('ff', 32), 'hex'), 'infinity'),
    (repeat('long id ', 250), decode(repeat('0f', 32), 'hex'), now());
