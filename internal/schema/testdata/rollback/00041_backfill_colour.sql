-- +goose Up
UPDATE zoo.item SET colour = 'grey' WHERE colour IS NULL;

-- +goose Down
SELECT 1;
