-- Forgets what attempts at a release would have held, and what held ones do.
DELETE FROM release_sample AS rs
WHERE rs.name = $name
AND EXISTS (SELECT 1 FROM release AS r WHERE r.name = rs.name AND r.version = rs.version AND r.state IN ('building', 'held'));
