-- +goose Up
-- Why:   what only a tenured (efetivo) employment has, one row for one.
-- Locks: SHARE ROW EXCLUSIVE on employment for the foreign key; the table itself is new.
-- Down:  drops the table, and with it that data.
CREATE TABLE public.employment_efetivo (
    employment_id                   uuid        NOT NULL,
    decreto_nomeacao_numero         text,
    decreto_nomeacao_data           date,
    posse_data                      date,
    exercicio_data                  date,
    classe                          text,
    lotacao_portaria                text,
    cedido_de                       text,
    cedido_para                     text,
    estabilidade_data               date,
    estabilidade_protocolo          text,
    estabilidade_resolucao_conjunta text,
    estabilidade_publicacao_data    date,
    updated_at                      timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT employment_efetivo_pkey PRIMARY KEY (employment_id),
    CONSTRAINT employment_efetivo_employment_id_fkey FOREIGN KEY (employment_id)
        REFERENCES public.employment (id) ON DELETE CASCADE
);

CREATE TRIGGER trg_emp_efetivo_touch
    BEFORE UPDATE ON public.employment_efetivo
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

-- +goose Down
DROP TABLE public.employment_efetivo;
