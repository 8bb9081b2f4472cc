-- Those of the wanted samples that have no reasoning, or blanks for it.
SELECT s.sample_id::VARCHAR AS sample_id
FROM sample AS s
JOIN wanted AS w ON s.sample_id = w.sample_id::UUID
WHERE s.thinking IS NULL OR NOT regexp_matches(s.thinking, '[^\s\p{Z}]');
