-- Each schema that candidates of the members have, where the registry has another text for that plugin: how many samples
-- have it, and the first of them with its trace.
SELECT
    c.plugin_id, c.digest::VARCHAR AS digest, any_value(o.parameters) AS parameters, any_value(p.parameters) AS known,
    count(DISTINCT c.sample_id) AS samples, min(c.sample_id)::VARCHAR AS sample_id, arg_min(s.trace_id, c.sample_id) AS trace_id
FROM candidate_schema AS c
JOIN members AS m ON m.sample_id::UUID = c.sample_id
JOIN plugin AS p ON p.plugin_id = c.plugin_id
JOIN offered_schema AS o ON o.digest = c.digest AND o.parameters <> p.parameters
JOIN sample AS s ON s.sample_id = c.sample_id
GROUP BY c.plugin_id, c.digest
ORDER BY samples DESC, c.plugin_id, digest;
