-- +goose Up
CREATE INDEX a_b_idx ON elsewhere.a (b); -- want index-not-concurrent

-- +goose Down
DROP TABLE elsewhere.a;
