-- Members that the registry completes and of which no child is made by what it says today, with the mark of that.
SELECT m.sample_id, c.mark
FROM members AS m
JOIN completable AS c ON c.sample_id = m.sample_id::UUID
WHERE NOT EXISTS (
    SELECT 1 FROM derivation AS d WHERE d.parent_id = c.sample_id AND d.maker = 'schemas' AND d.mark = c.mark
)
ORDER BY m.sample_id;
