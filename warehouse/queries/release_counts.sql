-- The releases of one dataset (or of all) with their rows per split, oldest first.
SELECT r.name, r.version, r.state, r.target, r.path, r."commit", r.digest, r.parent, r.created_at, r.guards, rs.split, count(rs.sample_id) AS samples
FROM release AS r
LEFT JOIN release_sample AS rs ON rs.name = r.name AND rs.version = r.version
WHERE $name IS NULL OR r.name = $name
GROUP BY ALL
ORDER BY r.created_at, r.version, rs.split;
