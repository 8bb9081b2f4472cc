-- Whoever waits for approvals has been told.
UPDATE review SET announced_at = $now WHERE name = $name AND decision = 'approved' AND announced_at IS NULL;
