-- The last refreshes of one recipe, or of all, newest first.
SELECT refresh_id::VARCHAR AS refresh_id, recipe, flow_run, state, detail, new_traces, funnel, version, started_at, finished_at
FROM refresh
WHERE $recipe IS NULL OR recipe = $recipe
ORDER BY started_at DESC
LIMIT $most;
