-- How many members have a candidate with one of these schemas.
SELECT count(DISTINCT c.sample_id) AS samples
FROM candidate_schema AS c
JOIN members AS m ON m.sample_id::UUID = c.sample_id
JOIN schemas AS s ON s.plugin_id = c.plugin_id AND s.digest::UUID = c.digest;
