INSERT INTO service.file_purges (file_id, claimed_at) VALUES ('', '-infinity'), ('zzzzzzzzzzzzzz', 'infinity');
