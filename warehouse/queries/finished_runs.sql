-- Finished training runs of one release and preset, newest first; of one starting model, or of any.
SELECT address
FROM training_run
WHERE kind = $kind AND name = $name AND version = $version AND preset = $preset AND state = 'finished'
AND ($model IS NULL OR model = $model)
ORDER BY started_at DESC;
