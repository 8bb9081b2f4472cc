-- The refreshes of a recipe that are said to run, with Prefect's ids.
SELECT refresh_id::VARCHAR AS refresh_id, flow_run, started_at FROM refresh WHERE recipe = $recipe AND state = 'running';
