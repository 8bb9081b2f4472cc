-- The child that stands for each sample now, for each of the makers asked: of `schemas` the one made of what the registry
-- says today, of any other the last one made.
SELECT DISTINCT ON (d.maker, d.parent_id) d.maker, d.parent_id::VARCHAR AS parent_id, d.child_id::VARCHAR AS child_id
FROM derivation AS d
LEFT JOIN completable AS c ON d.maker = 'schemas' AND c.sample_id = d.parent_id AND c.mark = d.mark
WHERE d.maker IN (SELECT maker FROM makers) AND (d.maker <> 'schemas' OR c.sample_id IS NOT NULL)
ORDER BY d.maker, d.parent_id, d.made_at DESC, d.child_id;
