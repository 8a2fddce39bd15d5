INSERT INTO employment_estagiario (employment_id, tce_numero, tce_ano, inicio_data, fim_data, aditivo_novo_fim_data, vale_transporte) VALUES
    ('00000000-0000-4000-8000-000000000403', '', -1, NULL, NULL, NULL, NULL),
    ('00000000-0000-4000-8000-000000000404', '1/2026', 2026, '2026-01-31', '2026-03-31', NULL, true),
    ('00000000-0000-4000-8000-000000000401', NULL, NULL, NULL, '2026-03-31', '2024-03-31', false);
