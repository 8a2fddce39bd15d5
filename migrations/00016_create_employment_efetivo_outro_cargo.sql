-- +goose Up
-- Why:   other posts that a tenured employee holds.
-- Locks: SHARE ROW EXCLUSIVE on employment for the foreign key; the table itself is new.
-- Down:  drops the table, and with it every post.
CREATE TABLE public.employment_efetivo_outro_cargo (
    id                        bigserial   NOT NULL,
    employment_id             uuid        NOT NULL,
    funcao_ou_cc              text,
    decreto_nomeacao_numero   text,
    decreto_nomeacao_data     date,
    posse_data                date,
    exercicio_data            date,
    simbolo                   text,
    decreto_exoneracao_numero text,
    decreto_exoneracao_data   date,
    created_at                timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT employment_efetivo_outro_cargo_pkey PRIMARY KEY (id),
    CONSTRAINT employment_efetivo_outro_cargo_employment_id_fkey FOREIGN KEY (employment_id)
        REFERENCES public.employment (id) ON DELETE CASCADE
);

CREATE INDEX ix_emp_efetivo_outro_emp ON public.employment_efetivo_outro_cargo (employment_id);

-- +goose Down
DROP TABLE public.employment_efetivo_outro_cargo;
