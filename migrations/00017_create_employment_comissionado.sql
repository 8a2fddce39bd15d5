-- +goose Up
-- Why:   what only an appointed (comissionado) employment has, one row for one.
-- Locks: SHARE ROW EXCLUSIVE on employment for the foreign key; the table itself is new.
-- Down:  drops the table, and with it that data.
CREATE TABLE public.employment_comissionado (
    employment_id             uuid        NOT NULL,
    decreto_nomeacao_numero   text,
    decreto_nomeacao_data     date,
    posse_data                date,
    exercicio_data            date,
    simbolo                   text,
    decreto_exoneracao_numero text,
    decreto_exoneracao_data   date,
    com_vinculo               boolean,
    funcao_exercida           text,
    updated_at                timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT employment_comissionado_pkey PRIMARY KEY (employment_id),
    CONSTRAINT employment_comissionado_employment_id_fkey FOREIGN KEY (employment_id)
        REFERENCES public.employment (id) ON DELETE CASCADE
);

CREATE TRIGGER trg_emp_comis_touch
    BEFORE UPDATE ON public.employment_comissionado
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

-- +goose Down
DROP TABLE public.employment_comissionado;
