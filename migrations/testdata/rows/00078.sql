INSERT INTO service.file_downloads (file_id, address, continued) VALUES
    ('', 'continued', 9223372036854775807), ('with-sha256-00', '2001:db8::', 1);
