-- The portal's part of a database in the form of catalog-head.json, in one value. The session has search_path = public.
WITH rel AS (
    SELECT oid, relname AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'goose_db_version'
), con AS (
    SELECT conrelid AS rel, contype, conname AS name,
           jsonb_build_object('name', conname, 'definition', pg_get_constraintdef(oid)) AS value
    FROM pg_constraint
)
SELECT jsonb_build_object(
    'tables', (SELECT jsonb_object_agg(rel.name, jsonb_build_object(
        'columns', (
            SELECT jsonb_agg(jsonb_build_object(
                'name', attname, 'type', format_type(atttypid, atttypmod), 'not_null', attnotnull,
                'default', CASE attgenerated WHEN '' THEN pg_get_expr(adbin, adrelid) END,
                'generated', CASE attgenerated WHEN 's' THEN pg_get_expr(adbin, adrelid) END,
                'identity', nullif(attidentity, '')) ORDER BY attnum)
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attrelid = rel.oid AND attnum > 0 AND NOT attisdropped),
        'primary_key', (SELECT value FROM con WHERE con.rel = rel.oid AND contype = 'p'),
        'unique', (SELECT coalesce(jsonb_agg(value ORDER BY con.name), '[]') FROM con WHERE con.rel = rel.oid AND contype = 'u'),
        'check', (SELECT coalesce(jsonb_agg(value ORDER BY con.name), '[]') FROM con WHERE con.rel = rel.oid AND contype = 'c'),
        'foreign_keys', (SELECT coalesce(jsonb_agg(value ORDER BY con.name), '[]') FROM con WHERE con.rel = rel.oid AND contype = 'f'),
        'exclusion', (SELECT coalesce(jsonb_agg(value ORDER BY con.name), '[]') FROM con WHERE con.rel = rel.oid AND contype = 'x'),
        'indexes', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'name', relname, 'definition', pg_get_indexdef(indexrelid), 'unique', indisunique,
                'backs_constraint', (SELECT conname FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))) ORDER BY relname), '[]')
            FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = rel.oid),
        'triggers', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('name', tgname, 'definition', pg_get_triggerdef(oid)) ORDER BY tgname), '[]')
            FROM pg_trigger WHERE tgrelid = rel.oid AND NOT tgisinternal)
    )) FROM rel),
    'views', (SELECT jsonb_object_agg(relname, jsonb_build_object('columns', (
            SELECT jsonb_agg(jsonb_build_object('name', attname, 'type', format_type(atttypid, atttypmod)) ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0)))
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'),
    'functions', (SELECT jsonb_object_agg(oid::regprocedure::text, jsonb_build_object(
            'name', proname, 'arguments', pg_get_function_arguments(oid), 'returns', pg_get_function_result(oid),
            'language', (SELECT lanname FROM pg_language WHERE oid = prolang), 'security_definer', prosecdef,
            'volatility', CASE provolatile WHEN 'v' THEN 'volatile' WHEN 's' THEN 'stable' ELSE 'immutable' END))
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')),
    'enums', (SELECT jsonb_object_agg(typname, (SELECT jsonb_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = pg_type.oid))
        FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'),
    'sequences', (SELECT jsonb_object_agg(relname, jsonb_build_object(
            'type', seqtypid::regtype, 'start', seqstart, 'increment', seqincrement, 'cycle', seqcycle,
            'owned_by', refobjid::regclass || '.' || (SELECT attname FROM pg_attribute WHERE attrelid = refobjid AND attnum = refobjsubid)))
        FROM pg_sequence
        JOIN pg_class ON pg_class.oid = seqrelid
        LEFT JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = seqrelid AND deptype = 'a'
        WHERE relnamespace = 'public'::regnamespace AND relname <> 'goose_db_version_id_seq'),
    'extensions', (SELECT jsonb_object_agg(extname, jsonb_build_object('schema', extnamespace::regnamespace, 'version', extversion))
        FROM pg_extension WHERE extname <> 'plpgsql'),
    'seed', jsonb_build_object(
        'roles', (SELECT jsonb_agg(jsonb_build_object('name', name, 'description', description) ORDER BY name) FROM roles),
        'org_units', (SELECT jsonb_agg(jsonb_build_object(
                'code', u.code, 'name', u.name, 'parent_code', p.code, 'active', u.active) ORDER BY u.code COLLATE "C")
            FROM org_units AS u LEFT JOIN org_units AS p ON p.id = u.parent_id))
)
