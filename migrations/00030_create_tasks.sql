-- +goose Up
-- Why:   tasks with an assignee, a due date and soft delete. The legacy start-up drops and
--        recreates chk_tasks_status.
-- Locks: SHARE ROW EXCLUSIVE on users for the foreign keys; the table itself is new.
-- Down:  drops the table, and with it every task.
CREATE TABLE public.tasks (
    id                      uuid        NOT NULL DEFAULT gen_random_uuid(),
    title                   text        NOT NULL,
    description             text        NOT NULL DEFAULT '',
    status                  text        NOT NULL DEFAULT 'a_fazer',
    priority                text        NOT NULL DEFAULT 'media',
    start_date              date,
    due_date                date,
    completed_at            timestamptz,
    created_by_user_id      uuid        NOT NULL,
    assigned_to_user_id     uuid,
    last_updated_by_user_id uuid,
    deleted_at              timestamptz,
    deleted_by_user_id      uuid,
    source_kind             text,
    source_id               text,
    assigned_role_name      text,
    created_at              timestamptz NOT NULL DEFAULT now(),
    updated_at              timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT tasks_pkey PRIMARY KEY (id),
    CONSTRAINT chk_tasks_priority CHECK (priority IN ('baixa', 'media', 'alta', 'urgente')),
    CONSTRAINT chk_tasks_status CHECK (status IN ('a_fazer', 'em_andamento', 'concluida', 'cancelada')),
    CONSTRAINT tasks_assigned_to_user_id_fkey FOREIGN KEY (assigned_to_user_id)
        REFERENCES public.users (id) ON DELETE SET NULL,
    CONSTRAINT tasks_created_by_user_id_fkey FOREIGN KEY (created_by_user_id)
        REFERENCES public.users (id) ON DELETE RESTRICT,
    CONSTRAINT tasks_deleted_by_user_id_fkey FOREIGN KEY (deleted_by_user_id)
        REFERENCES public.users (id) ON DELETE SET NULL,
    CONSTRAINT tasks_last_updated_by_user_id_fkey FOREIGN KEY (last_updated_by_user_id)
        REFERENCES public.users (id) ON DELETE SET NULL
);

CREATE INDEX ix_tasks_assignee ON public.tasks (assigned_to_user_id);
CREATE INDEX ix_tasks_created_at ON public.tasks (created_at DESC);
CREATE INDEX ix_tasks_creator ON public.tasks (created_by_user_id);
CREATE INDEX ix_tasks_deleted_at ON public.tasks (deleted_at);
CREATE INDEX ix_tasks_due_date ON public.tasks (due_date);
CREATE INDEX ix_tasks_status_updated_at ON public.tasks (status, updated_at DESC);

CREATE TRIGGER trg_tasks_touch
    BEFORE UPDATE ON public.tasks
    FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();

-- +goose Down
DROP TABLE public.tasks;
