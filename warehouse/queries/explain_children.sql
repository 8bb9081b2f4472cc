-- Of what one sample was made, and what was made of it: the other sample, by whom, by what, when, and whether the child
-- is the one that stands for its parent now.
WITH told AS (
    SELECT 'parent' AS what, parent_id AS other, * FROM derivation WHERE child_id = $sample_id::UUID
    UNION ALL
    SELECT 'child', child_id, * FROM derivation WHERE parent_id = $sample_id::UUID
)
SELECT
    t.what, t.other::VARCHAR AS sample_id, t.maker, t.mark, t.made_at,
    EXISTS (SELECT 1 FROM standing AS n WHERE n.maker = t.maker AND n.parent_id = t.parent_id AND n.child_id = t.child_id) AS stands
FROM told AS t
ORDER BY t.what DESC, t.made_at, t.other;
