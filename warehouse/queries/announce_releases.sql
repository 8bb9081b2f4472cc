-- Whoever waits for new versions of a dataset has been told; the earlier ones are no news any more.
UPDATE release SET announced_at = $now WHERE name = $name AND state = 'published' AND announced_at IS NULL;
