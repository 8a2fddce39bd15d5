package lint

import "errors"

var unreadableFile = Rule{
	Name:     "unreadable-file",
	Severity: Error,
	What:     "A file that goose cannot read: no annotation that begins Up, a statement without an end, text that is no text.",
	Why:      "Nothing of it can be applied, and goose refuses the whole folder.",
	Safe: `-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION public.touch();`,
	everywhere: true,
	refused:    true,
	file:       checkUnreadableFile,
}

func checkUnreadableFile(f *file) {
	if f.Err != nil && !errors.Is(f.Err, ErrTooLarge) && !errors.Is(f.Err, ErrEnvsub) {
		f.report(1, f.Err.Error())
	}
}
