INSERT INTO employment_comissionado (employment_id, simbolo, com_vinculo, funcao_exercida, exercicio_data) VALUES
    ('00000000-0000-4000-8000-000000000402', 'CC-ª', NULL, '', '9999-12-31'),
    ('00000000-0000-4000-8000-000000000401', NULL, false, NULL, NULL);
