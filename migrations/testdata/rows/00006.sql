INSERT INTO roles (id, name, description, created_at) VALUES
    ('00000000-0000-4000-8000-000000000101', '', NULL, '-infinity'),
    ('00000000-0000-4000-8000-000000000102', 'Ação 漢字 ''x''', '', now()),
    ('00000000-0000-4000-8000-000000000103', 'ADMIN', 'not the seeded admin: names are compared with case', now());
