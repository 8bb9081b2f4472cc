-- An evaluation of a run's model, once.
INSERT INTO evaluation (evaluation_id, run_id, model, preset, name, version, split, score, low, high, summary, recorded_at)
SELECT $evaluation_id, $run_id, $model, $preset, $name, $version, $split, $score, $low, $high, $summary, $recorded_at
WHERE NOT EXISTS (SELECT 1 FROM evaluation WHERE evaluation_id = $evaluation_id);
