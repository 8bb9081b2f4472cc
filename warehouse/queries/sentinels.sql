-- The sentinels of a recipe under a specification: the set that was frozen last.
SELECT sample_id::VARCHAR AS sample_id, frozen_at
FROM sentinel
WHERE recipe = $recipe AND spec = $spec
  AND frozen_at = (SELECT max(frozen_at) FROM sentinel WHERE recipe = $recipe AND spec = $spec)
ORDER BY sample_id;
