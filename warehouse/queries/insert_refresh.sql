-- A refresh that begins.
INSERT INTO refresh (refresh_id, recipe, flow_run, host, pid, state, started_at)
VALUES ($refresh_id, $recipe, $flow_run, $host, $pid, 'running', $started_at);
