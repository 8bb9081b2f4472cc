-- The occasion that a run which was cut short has left open, if it is not too old.
SELECT occasion::VARCHAR AS occasion
FROM occasion
WHERE recipe = $recipe AND spec = $spec AND finished_at IS NULL AND started_at >= $since
ORDER BY started_at DESC
LIMIT 1;
