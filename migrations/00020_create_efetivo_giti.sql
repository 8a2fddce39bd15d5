-- +goose Up
-- Why:   courses that give the GITI allowance of 10, 15 or 20 per cent.
-- Locks: SHARE ROW EXCLUSIVE on employment for the foreign key; the table itself is new.
-- Down:  drops the table, and with it every course.
CREATE TABLE public.efetivo_giti (
    id             bigserial   NOT NULL,
    employment_id  uuid        NOT NULL,
    curso          text        NOT NULL,
    conclusao_data date,
    tipo           text        NOT NULL,
    percentual     integer     NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT efetivo_giti_pkey PRIMARY KEY (id),
    CONSTRAINT efetivo_giti_percentual_check CHECK (percentual IN (10, 15, 20)),
    CONSTRAINT efetivo_giti_tipo_check CHECK (lower(tipo) IN ('graduacao', 'mestrado', 'doutorado', 'pos')),
    CONSTRAINT efetivo_giti_employment_id_fkey FOREIGN KEY (employment_id)
        REFERENCES public.employment (id) ON DELETE CASCADE
);

CREATE INDEX ix_giti_emp ON public.efetivo_giti (employment_id);

-- +goose Down
DROP TABLE public.efetivo_giti;
