-- One row per fault of every decision that is not a pass, for the members under one recipe; an abstention is one row.
WITH told AS (
    SELECT rs.position, d.sample_id, d.stage, d.outcome, d.reason, d.detail, d.faults
    FROM recipe_stage AS rs
    JOIN decision AS d ON d.stage = rs.stage AND d.fingerprint = rs.fingerprint AND d.outcome <> 'pass'
    JOIN members AS m ON m.sample_id::UUID = d.sample_id
    WHERE rs.recipe = $recipe
),
each AS (
    SELECT position, sample_id, stage, outcome, unnest(from_json(coalesce(faults, '[null]'), '["JSON"]')) AS fault, reason, detail
    FROM told
),
traces AS (
    SELECT h.sample_id, list(DISTINCT t.trace_id ORDER BY t.trace_id) FILTER (WHERE t.trace_id IS NOT NULL) AS trace_ids
    FROM held AS h JOIN trace AS t USING (trace_key)
    GROUP BY h.sample_id
)
SELECT
    s.trace_id, t.trace_ids, e.sample_id::VARCHAR AS sample_id, e.stage, e.outcome,
    coalesce(json_extract_string(e.fault, '$.reason'), e.reason) AS reason,
    CASE WHEN json_type(e.fault) = 'OBJECT' THEN json_object('pointer', e.fault -> '$.pointer', 'seen', e.fault -> '$.seen')::VARCHAR ELSE e.detail END AS detail
FROM each AS e
JOIN sample AS s USING (sample_id)
LEFT JOIN traces AS t USING (sample_id)
ORDER BY e.position, e.sample_id, reason, detail;
