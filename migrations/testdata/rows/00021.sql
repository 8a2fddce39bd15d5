INSERT INTO user_education_graduacao (user_id, curso, instituicao, conclusao_data) VALUES
    ('00000000-0000-4000-8000-000000000001', '', NULL, '-infinity'),
    ('00000000-0000-4000-8000-000000000001', 'Ciências Econômicas', '', NULL);
