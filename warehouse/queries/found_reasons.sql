-- In how many members each reason was found, how many of them fell for it first, and three of them; a member in whose place
-- another stands counts for its lineage alone. `only_seen`: only in those that have a verdict.
WITH found AS (
    SELECT
        rs.position, d.sample_id, d.stage, d.outcome,
        unnest(coalesce(nullif(list_distinct(json_extract_string(d.faults, '$[*].reason')), []), [d.reason])) AS reason
    FROM recipe_stage AS rs
    JOIN decision AS d ON d.stage = rs.stage AND d.fingerprint = rs.fingerprint AND d.outcome <> 'pass'
    JOIN members AS m ON m.sample_id::UUID = d.sample_id AND (m.replaced_by IS NULL OR d.stage = 'lineage')
    WHERE rs.recipe = $recipe
),
told AS (
    SELECT f.position, f.stage, f.reason, f.outcome, f.sample_id, coalesce(v.reason = f.reason AND v.stage = f.stage, false) AS fell
    FROM found AS f
    LEFT JOIN verdict AS v ON v.recipe = $recipe AND v.sample_id = f.sample_id
    WHERE f.reason IS NOT NULL AND (NOT $only_seen OR v.sample_id IS NOT NULL)
)
SELECT
    stage, reason, count(*) AS found, count(*) FILTER (WHERE outcome = 'flag') AS flagged, count(*) FILTER (WHERE fell) AS fell,
    min(sample_id::VARCHAR, 3) AS examples
FROM told
GROUP BY position, stage, reason
ORDER BY position, found DESC, reason;
