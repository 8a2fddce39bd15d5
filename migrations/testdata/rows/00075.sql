INSERT INTO service.file_attempts (scope, key, window_started_at, failures) VALUES
    ('item', '', '-infinity', 0), ('item', 'ab-_AB01234567', now(), 50), ('address', '2001:db8::/64', 'infinity', 2147483647);
