INSERT INTO users (id, cpf, email, name, password_hash, phone, status, source, is_superuser, attrs, saldo_ferias, saldo_ferias_ano,
    last_login_at, verified_at, created_at, updated_at, rg, id_funcional, data_nascimento, email_institucional,
    telefone_principal, ramal, endereco, dependentes_qtde, formacao_nivel_medio, must_change_password)
VALUES
    ('00000000-0000-4000-8000-000000000001', '00000000001', 'Pessoa.Um@Example.ORG', E'Ação "aspas" \\ barra \t tab 👩🏽‍💼 ', '$argon2id$v=19$fake', '+55 (00) 0000-0000',
     'active', 'eprotocolo', true, '{"a": {"b": [1, 1.00, null, "ü"]}, "": ""}', -2147483648, 2147483647,
     'infinity', '-infinity', '0001-01-01 00:00:00+00 BC', '9999-12-31 23:59:59.999999+00', 'RG-1', 9223372036854775807, '0044-03-15 BC', 'um@example.org',
     '', '0', E'linha 1\nlinha 2', 2147483647, true, false),
    ('00000000-0000-4000-8000-000000000002', '00000000002', NULL, '', '', NULL, 'blocked', 'local', false, 'null', 0, 0,
     NULL, NULL, '1970-01-01 00:00:00+00', '1970-01-01 00:00:00+00', '', -1, 'infinity', '', NULL, NULL, NULL, -1, false, true);
INSERT INTO users (id, name, email, attrs) VALUES
    ('00000000-0000-4000-8000-000000000003', E'e\u0301 decomposto', 'tres@example.org', '[1, "dois", null]'),
    ('00000000-0000-4000-8000-000000000004', repeat('nome muito longo ', 150), 'QUATRO@EXAMPLE.ORG', '"text"');
