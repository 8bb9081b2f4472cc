-- Schemas that are new.
INSERT INTO offered_schema
SELECT i.digest::UUID, i.parameters
FROM incoming AS i
WHERE NOT EXISTS (SELECT 1 FROM offered_schema AS o WHERE o.digest = i.digest::UUID);
