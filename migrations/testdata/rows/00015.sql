INSERT INTO employment_efetivo (employment_id, decreto_nomeacao_numero, posse_data, classe, cedido_de, cedido_para) VALUES
    ('00000000-0000-4000-8000-000000000401', 'Decreto nº 1/2020', '2020-02-29', '', 'órgão', NULL),
    ('00000000-0000-4000-8000-000000000402', NULL, NULL, NULL, NULL, NULL);
