-- +goose Up
ALTER TABLE zoo.item ADD COLUMN sku text;
CREATE UNIQUE INDEX item_sku_idx ON zoo.item (sku);
CREATE INDEX item_sku_note_idx ON zoo.item (lower(sku), note) WHERE sku IS NOT NULL;

-- +goose Down
DROP INDEX zoo.item_sku_note_idx;
ALTER TABLE zoo.item DROP COLUMN sku;
