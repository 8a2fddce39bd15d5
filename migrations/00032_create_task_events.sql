-- +goose Up
-- Why:   who changed what in a task.
-- Locks: SHARE ROW EXCLUSIVE on tasks and users for the foreign keys; the table itself is new.
-- Down:  drops the table, and with it that history.
CREATE TABLE public.task_events (
    id            bigserial   NOT NULL,
    task_id       uuid        NOT NULL,
    actor_user_id uuid,
    event_type    text        NOT NULL,
    old_value     jsonb,
    new_value     jsonb,
    metadata      jsonb       NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT task_events_pkey PRIMARY KEY (id),
    CONSTRAINT task_events_actor_user_id_fkey FOREIGN KEY (actor_user_id)
        REFERENCES public.users (id) ON DELETE SET NULL,
    CONSTRAINT task_events_task_id_fkey FOREIGN KEY (task_id) REFERENCES public.tasks (id) ON DELETE CASCADE
);

CREATE INDEX ix_task_events_task_created_at ON public.task_events (task_id, created_at DESC);

-- +goose Down
DROP TABLE public.task_events;
