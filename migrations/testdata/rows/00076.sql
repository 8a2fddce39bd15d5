INSERT INTO service.file_downloads (file_id, address, started_at) VALUES
    ('', '', '-infinity'), ('with-sha256-00', '192.0.2.1', now());
