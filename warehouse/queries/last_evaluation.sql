-- The score of the last other model of this preset on this dataset, in the order in which the models were trained.
SELECT e.score, t.version
FROM evaluation AS e
JOIN training_run AS t USING (run_id)
WHERE e.name = $name AND e.split = $split AND e.preset = $preset AND e.score IS NOT NULL AND e.run_id <> $run_id
AND t.started_at < (SELECT max(started_at) FROM training_run WHERE run_id = $run_id)
ORDER BY t.started_at DESC, e.recorded_at DESC
LIMIT 1;
