-- +goose Up
LOCK TABLE public.notes;
CREATE TABLE public.memos AS SELECT * FROM public.notes; -- want work-while-locked

-- +goose Down
DROP TABLE public.memos;
