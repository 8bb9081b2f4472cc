-- Every (sample, trace) pair of the given sources; metadata only where a condition needs it. parent_id is the trajectory.
SELECT
    s.sample_id::VARCHAR AS sample_id, s.kind, o.trajectory_id::VARCHAR AS parent_id, s.turn, t.source, t.timestamp,
    t.trace_key::VARCHAR AS trace_key, CASE WHEN $with_metadata THEN t.metadata END AS metadata
FROM sample AS s
JOIN origin AS o USING (sample_id)
JOIN sample_trace AS st USING (sample_id)
JOIN trace AS t USING (trace_key)
WHERE NOT $only_sources OR t.source IN (SELECT name FROM sources);
