-- +goose Up
-- Why:   what only an internship (estagiario) has, one row for one. limite_alerta_data is a month
--        before its end, to warn in time.
-- Locks: SHARE ROW EXCLUSIVE on employment for the foreign key; the table itself is new.
-- Down:  drops the table, and with it that data.
CREATE TABLE public.employment_estagiario (
    employment_id         uuid        NOT NULL,
    tce_numero            text,
    tce_ano               integer,
    inicio_data           date,
    fim_data              date,
    aditivo_novo_fim_data date,
    rescisao_data         date,
    fluxogramas           text,
    frequencia            text,
    pagamento             text,
    vale_transporte       boolean,
    limite_alerta_data    date        GENERATED ALWAYS AS (
        (COALESCE(aditivo_novo_fim_data, fim_data) - interval '1 month')::date
    ) STORED,
    updated_at            timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT employment_estagiario_pkey PRIMARY KEY (employment_id),
    CONSTRAINT employment_estagiario_employment_id_fkey FOREIGN KEY (employment_id)
        REFERENCES public.employment (id) ON DELETE CASCADE
);

CREATE TRIGGER trg_emp_estag_touch
    BEFORE UPDATE ON public.employment_estagiario
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

-- +goose Down
DROP TABLE public.employment_estagiario;
