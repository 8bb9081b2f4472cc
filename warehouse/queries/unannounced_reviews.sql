-- Approvals of published versions that nobody has been told of, newest first.
SELECT r.name, r.version, r.target, r.path, r."commit", r.digest, count(rs.sample_id) AS samples
FROM review AS v
JOIN release AS r ON r.name = v.name AND r.version = v.version AND r.state = 'published'
LEFT JOIN release_sample AS rs ON rs.name = r.name AND rs.version = r.version
WHERE v.decision = 'approved' AND v.announced_at IS NULL
GROUP BY r.name, r.version, r.target, r.path, r."commit", r.digest, r.created_at
ORDER BY r.created_at DESC, r.version DESC;
