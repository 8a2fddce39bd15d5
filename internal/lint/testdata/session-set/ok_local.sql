-- +goose Up
SET LOCAL lock_timeout = '1s';
SET CONSTRAINTS ALL DEFERRED;
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
SELECT set_config('a.b', 'c', true);

-- +goose Down
SELECT;
