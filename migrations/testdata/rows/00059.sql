INSERT INTO service.submission_queue (submission_id, kind, enqueued_at, worker, lease_until, attempts) VALUES
    ('', '', '-infinity', NULL, NULL, 0),
    ('ação 漢字', 'dfd', now(), '', 'infinity', 2147483647),
    (repeat('long id ', 250), 'férias', 'infinity', 'worker ação', '-infinity', 1);
