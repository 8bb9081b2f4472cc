-- The fold of all decisions under one recipe: accepted when every stage that measures this kind has passed or flagged
-- the sample; else the first stage that put it out, with its reason; else the first stage that has not decided it. Where
-- a child stands in its place that is why, whatever else was found: the child tells it too. The accepted are counted;
-- only the others are looked at stage by stage.
WITH stages AS (
    SELECT stage, fingerprint, position, from_json(kinds, '["VARCHAR"]') AS kinds FROM recipe_stage WHERE recipe = $recipe
),
needed AS (
    SELECT k.kind, count(s.stage) AS stages
    FROM (SELECT DISTINCT kind FROM members) AS k
    LEFT JOIN stages AS s ON list_contains(s.kinds, k.kind)
    GROUP BY k.kind
),
passed AS (
    SELECT d.sample_id, count(*) AS stages
    FROM decision AS d
    JOIN stages AS s USING (stage, fingerprint)
    WHERE d.outcome IN ('pass', 'flag')
    GROUP BY d.sample_id
),
others AS (
    SELECT m.sample_id::UUID AS sample_id, m.kind, m.replaced_by
    FROM members AS m
    JOIN needed AS n USING (kind)
    LEFT JOIN passed AS p ON p.sample_id = m.sample_id::UUID
    WHERE coalesce(p.stages, 0) < n.stages
),
asked AS (
    SELECT
        m.sample_id, s.stage, s.fingerprint,
        CASE WHEN s.stage = 'lineage' AND m.replaced_by IS NOT NULL THEN -1 ELSE s.position END AS position
    FROM others AS m
    JOIN stages AS s ON list_contains(s.kinds, m.kind)
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
