-- What was replied after $since about canaries under a specification and about the sentinels of a recipe, in the order it
-- came; and, whenever that was, what was first replied about the sentinels that are frozen now.
WITH frozen AS (
    SELECT max(frozen_at) AS frozen_at FROM sentinel WHERE recipe = $recipe AND spec = $spec
),
first_time AS (
    SELECT arg_min(w.occasion, w.received_at) AS occasion
    FROM watch AS w
    JOIN occasion AS o ON o.occasion = w.occasion
    WHERE w.kind = 'sentinel' AND w.spec = $spec AND o.recipe = $recipe AND w.received_at >= (SELECT frozen_at FROM frozen)
)
SELECT
    w.occasion::VARCHAR AS occasion, o.started_at, w.kind, w.sample_id::VARCHAR AS sample_id, w.status, w.raw, w.usd,
    w.received_at
FROM watch AS w
JOIN occasion AS o ON o.occasion = w.occasion
WHERE w.spec = $spec AND (w.kind = 'canary' OR o.recipe = $recipe)
    AND (w.received_at > $since OR (w.kind = 'sentinel' AND w.occasion = (SELECT occasion FROM first_time)))
ORDER BY w.received_at, w.watch_id;
