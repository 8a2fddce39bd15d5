-- +goose Up
ALTER TABLE public.notes ADD PRIMARY KEY (created_at); -- want unique-or-primary-builds-index

-- +goose Down
SELECT;
