-- What the candidates of samples say of their parameters; a sample that was read already is nothing new.
INSERT INTO candidate_schema
SELECT i.sample_id::UUID, i.plugin_id, i.digest::UUID
FROM incoming AS i
WHERE NOT EXISTS (SELECT 1 FROM candidate_schema AS c WHERE c.sample_id = i.sample_id::UUID);
