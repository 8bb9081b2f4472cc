-- Members whose candidates have not been read for what they say of their parameters.
SELECT m.sample_id
FROM members AS m
WHERE NOT EXISTS (SELECT 1 FROM candidate_schema AS c WHERE c.sample_id = m.sample_id::UUID)
ORDER BY m.sample_id;
