-- Forgets attempts at a release that were never published, and those that are held: the next one holds their rows too.
DELETE FROM release WHERE name = $name AND state IN ('building', 'held');
