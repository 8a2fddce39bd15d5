-- +goose Up
-- Why:   training that counts for the promotion of tenured staff.
-- Locks: SHARE ROW EXCLUSIVE on employment for the foreign key; the table itself is new.
-- Down:  drops the table, and with it every course.
CREATE TABLE public.efetivo_capacitacoes (
    id                 bigserial   NOT NULL,
    employment_id      uuid        NOT NULL,
    protocolo          text,
    curso              text        NOT NULL,
    conclusao_data     date,
    decreto_numero     text,
    resolucao_conjunta text,
    classe             text,
    created_at         timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT efetivo_capacitacoes_pkey PRIMARY KEY (id),
    CONSTRAINT efetivo_capacitacoes_employment_id_fkey FOREIGN KEY (employment_id)
        REFERENCES public.employment (id) ON DELETE CASCADE
);

CREATE INDEX ix_cap_emp ON public.efetivo_capacitacoes (employment_id);

-- +goose Down
DROP TABLE public.efetivo_capacitacoes;
