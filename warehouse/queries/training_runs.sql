-- Training runs with the score of their last evaluation, newest first.
SELECT
    t.run_id, t.kind, t.name, t.version, t.preset, t.model, t.seed, t.state, t.address, t.started_at, t.finished_at,
    json_extract_string(t.run, '$.detail') AS detail,
    arg_max(e.score, e.recorded_at) AS score
FROM training_run AS t
LEFT JOIN evaluation AS e USING (run_id)
WHERE $name IS NULL OR t.name = $name
GROUP BY ALL
ORDER BY t.started_at DESC, t.run_id;
