-- The releases of a dataset that wait for a person, with what tripped.
SELECT version, digest, guards, created_at FROM release WHERE name = $name AND state = 'held' ORDER BY created_at;
