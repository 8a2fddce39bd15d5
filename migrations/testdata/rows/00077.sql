INSERT INTO service.file_stores (root, marker, created_at) VALUES
    ('', '', '-infinity'), ('/data/uploads/', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', now()), ('s3://bucket/ção/', 'x', 'infinity');
