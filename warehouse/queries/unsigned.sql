-- Members that the search for copies does not know yet under this fingerprint.
SELECT m.sample_id, m.parent_id, m.origin_id, m.timestamp
FROM members AS m
WHERE NOT EXISTS (
    SELECT 1 FROM signature AS g WHERE g.sample_id = m.sample_id::UUID AND g.fingerprint = $fingerprint
)
ORDER BY m.timestamp NULLS LAST, m.sample_id;
