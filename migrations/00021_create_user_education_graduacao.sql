-- +goose Up
-- Why:   first degrees of users.
-- Locks: SHARE ROW EXCLUSIVE on users for the foreign key; the table itself is new.
-- Down:  drops the table, and with it every degree.
CREATE TABLE public.user_education_graduacao (
    id             bigserial   NOT NULL,
    user_id        uuid        NOT NULL,
    curso          text        NOT NULL,
    instituicao    text,
    conclusao_data date,
    created_at     timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT user_education_graduacao_pkey PRIMARY KEY (id),
    CONSTRAINT user_education_graduacao_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES public.users (id) ON DELETE CASCADE
);

CREATE INDEX ix_u_edu_grad_user ON public.user_education_graduacao (user_id);

-- +goose Down
DROP TABLE public.user_education_graduacao;
