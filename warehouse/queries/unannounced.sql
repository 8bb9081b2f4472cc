-- Published versions, newest first, that nobody has been told of.
SELECT r.name, r.version, r.target, r.path, r."commit", r.digest, count(rs.sample_id) AS samples
FROM release AS r
LEFT JOIN release_sample AS rs ON rs.name = r.name AND rs.version = r.version
WHERE r.state = 'published' AND r.announced_at IS NULL
GROUP BY r.name, r.version, r.target, r.path, r."commit", r.digest, r.created_at
ORDER BY r.created_at DESC, r.version DESC;
