INSERT INTO employment_efetivo_outro_cargo (employment_id, funcao_ou_cc, simbolo, posse_data) VALUES
    ('00000000-0000-4000-8000-000000000401', '', 'DAS-1', '-infinity'),
    ('00000000-0000-4000-8000-000000000401', NULL, NULL, NULL);
