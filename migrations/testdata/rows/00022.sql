INSERT INTO user_education_posgrad (user_id, curso, tipo, instituicao, conclusao_data) VALUES
    ('00000000-0000-4000-8000-000000000001', '', NULL, NULL, NULL),
    ('00000000-0000-4000-8000-000000000003', 'Direito', 'Mestrado', '', 'infinity');
