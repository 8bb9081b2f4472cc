-- What people said of one dataset's releases, oldest first.
SELECT version, digest, decision, reviewer, note, decided_at FROM review WHERE name = $name ORDER BY decided_at;
