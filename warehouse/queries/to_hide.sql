-- Members in which a stage found something to hide and of which the maker has made no child under the same rules yet.
SELECT m.sample_id
FROM members AS m
JOIN decision AS d ON d.sample_id = m.sample_id::UUID AND d.stage = $stage AND d.fingerprint = $fingerprint
WHERE d.reason IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM derivation AS v
        WHERE v.parent_id = d.sample_id AND v.maker = $maker AND v.mark = $fingerprint
    )
ORDER BY m.sample_id;
