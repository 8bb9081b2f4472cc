-- The fold of all decisions under one recipe: accepted when every stage that measures this kind has passed or flagged
-- the sample; else the first stage that put it out, with its reason; else the first stage that has not decided it. Where
-- a child stands in its place that is why, whatever else was found: the child tells it too.
WITH asked AS (
    SELECT
        m.sample_id::UUID AS sample_id, rs.stage, rs.fingerprint,
        CASE WHEN rs.stage = 'lineage' AND m.replaced_by IS NOT NULL THEN -1 ELSE rs.position END AS position
    FROM members AS m
    JOIN recipe_stage AS rs ON rs.recipe = $recipe AND list_contains(from_json(rs.kinds, '["VARCHAR"]'), m.kind)
),
told AS (
    SELECT a.sample_id, a.stage, d.outcome, d.reason, a.position + CASE WHEN d.outcome IS NULL THEN 1000 ELSE 0 END AS rank
    FROM asked AS a
    LEFT JOIN decision AS d ON d.sample_id = a.sample_id AND d.stage = a.stage AND d.fingerprint = a.fingerprint
),
against AS (
    SELECT sample_id, arg_min(stage, rank) AS stage, arg_min(coalesce(reason, ''), rank) AS reason, arg_min(coalesce(outcome, ''), rank) AS outcome
    FROM told
    WHERE outcome IS NULL OR outcome NOT IN ('pass', 'flag')
    GROUP BY sample_id
)
SELECT
    m.sample_id, a.sample_id IS NULL AS accepted, a.stage,
    CASE WHEN a.outcome = '' THEN 'undecided' WHEN a.reason = '' THEN 'not measured' ELSE a.reason END AS reason
FROM members AS m
LEFT JOIN against AS a ON a.sample_id = m.sample_id::UUID;
