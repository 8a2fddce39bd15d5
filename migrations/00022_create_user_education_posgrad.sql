-- +goose Up
-- Why:   postgraduate degrees of users.
-- Locks: SHARE ROW EXCLUSIVE on users for the foreign key; the table itself is new.
-- Down:  drops the table, and with it every degree.
CREATE TABLE public.user_education_posgrad (
    id             bigserial   NOT NULL,
    user_id        uuid        NOT NULL,
    curso          text        NOT NULL,
    tipo           text,
    instituicao    text,
    conclusao_data date,
    created_at     timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT user_education_posgrad_pkey PRIMARY KEY (id),
    CONSTRAINT user_education_posgrad_tipo_check CHECK (
        tipo IS NULL OR lower(tipo) IN ('especializacao', 'mestrado', 'doutorado', 'pos')
    ),
    CONSTRAINT user_education_posgrad_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES public.users (id) ON DELETE CASCADE
);

CREATE INDEX ix_u_edu_pos_user ON public.user_education_posgrad (user_id);

-- +goose Down
DROP TABLE public.user_education_posgrad;
