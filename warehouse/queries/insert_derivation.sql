-- Of what the children were made and by what; what is known already is nothing new.
INSERT INTO derivation
SELECT i.sample_id::UUID, i.parent_id::UUID, coalesce(p.origin_id, i.parent_id::UUID), $maker, i.mark, now()
FROM incoming AS i
LEFT JOIN origin AS p ON p.sample_id = i.parent_id::UUID
WHERE NOT EXISTS (
    SELECT 1 FROM derivation AS d
    WHERE d.child_id = i.sample_id::UUID AND d.parent_id = i.parent_id::UUID AND d.maker = $maker AND d.mark = i.mark
);
