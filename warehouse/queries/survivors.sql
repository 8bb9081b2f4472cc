-- Members that every one of the recipe's stages named in `earlier` has passed or flagged: counted, not joined stage by stage.
WITH asked AS (
    SELECT stage, fingerprint, from_json(kinds, '["VARCHAR"]') AS kinds
    FROM recipe_stage
    WHERE recipe = $recipe AND stage IN (SELECT stage FROM earlier)
),
needed AS (
    SELECT k.kind, count(*) AS stages
    FROM (SELECT DISTINCT kind FROM members) AS k
    JOIN asked AS a ON list_contains(a.kinds, k.kind)
    GROUP BY k.kind
),
passed AS (
    SELECT d.sample_id, count(*) AS stages
    FROM decision AS d
    JOIN asked AS a USING (stage, fingerprint)
    WHERE d.outcome IN ('pass', 'flag')
    GROUP BY d.sample_id
)
SELECT m.sample_id, m.kind, m.parent_id, m.timestamp
FROM members AS m
JOIN needed AS n USING (kind)
JOIN passed AS p ON p.sample_id = m.sample_id::UUID AND p.stages = n.stages
ORDER BY m.sample_id;
