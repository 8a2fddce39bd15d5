INSERT INTO efetivo_capacitacoes (employment_id, protocolo, curso, conclusao_data, classe) VALUES
    ('00000000-0000-4000-8000-000000000401', '', '', NULL, NULL),
    ('00000000-0000-4000-8000-000000000401', NULL, 'Gestão pública – módulo 1', '2024-02-29', 'Ⅱ');
