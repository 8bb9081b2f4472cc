-- The releases of one dataset (or of all) with their rows per split, oldest first.
WITH counted AS (
    SELECT name, version, split, count(*) AS samples
    FROM release_sample
    WHERE $name IS NULL OR name = $name
    GROUP BY name, version, split
)
SELECT
    r.name, r.version, r.state, r.target, r.path, r."commit", r.digest, r.parent, r.created_at, r.guards, c.split,
    coalesce(c.samples, 0) AS samples
FROM release AS r
LEFT JOIN counted AS c ON c.name = r.name AND c.version = r.version
WHERE $name IS NULL OR r.name = $name
ORDER BY r.created_at, r.version, c.split;
