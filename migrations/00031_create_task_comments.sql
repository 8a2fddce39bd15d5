-- +goose Up
-- Why:   comments on tasks.
-- Locks: SHARE ROW EXCLUSIVE on tasks and users for the foreign keys; the table itself is new.
-- Down:  drops the table, and with it every comment.
CREATE TABLE public.task_comments (
    id            bigserial   NOT NULL,
    task_id       uuid        NOT NULL,
    actor_user_id uuid        NOT NULL,
    body          text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT task_comments_pkey PRIMARY KEY (id),
    CONSTRAINT task_comments_actor_user_id_fkey FOREIGN KEY (actor_user_id)
        REFERENCES public.users (id) ON DELETE RESTRICT,
    CONSTRAINT task_comments_task_id_fkey FOREIGN KEY (task_id) REFERENCES public.tasks (id) ON DELETE CASCADE
);

CREATE INDEX ix_task_comments_task_created_at ON public.task_comments (task_id, created_at);

CREATE TRIGGER trg_task_comments_touch
    BEFORE UPDATE ON public.task_comments
    FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();

-- +goose Down
DROP TABLE public.task_comments;
