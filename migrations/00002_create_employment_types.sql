-- +goose Up
-- Why:   the closed lists of the HR part: kind of employment, its state, and why it ended.
-- Locks: none that waits.
-- Down:  loses nothing; refuses while a column still uses one of them.
CREATE TYPE public.employment_type AS ENUM ('efetivo', 'comissionado', 'estagiario');
CREATE TYPE public.employment_status AS ENUM ('ativo', 'inativo');
CREATE TYPE public.inactivity_reason AS ENUM ('exoneracao', 'aposentadoria', 'termino_estagio');

-- +goose Down
DROP TYPE public.inactivity_reason;
DROP TYPE public.employment_status;
DROP TYPE public.employment_type;
