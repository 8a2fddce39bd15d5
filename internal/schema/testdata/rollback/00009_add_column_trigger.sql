-- +goose Up
ALTER TABLE zoo.item ADD COLUMN upper_note text;
-- +goose StatementBegin
CREATE FUNCTION zoo.upper_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.upper_note := upper(NEW.note);
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER item_upper_note BEFORE INSERT OR UPDATE OF upper_note ON zoo.item FOR EACH ROW EXECUTE FUNCTION zoo.upper_note();

-- +goose Down
DROP TRIGGER item_upper_note ON zoo.item;
DROP FUNCTION zoo.upper_note();
ALTER TABLE zoo.item DROP COLUMN upper_note;
