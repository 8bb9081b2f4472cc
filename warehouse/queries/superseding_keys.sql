-- Traces of one source that share a trace_id, with their topmost samples; a trace_id that came once is left out.
WITH shared AS (
    SELECT source, trace_id FROM trace WHERE error IS NULL AND trace_id IS NOT NULL
    GROUP BY source, trace_id HAVING count(*) > 1
)
SELECT t.source, t.trace_id, t.trace_key::VARCHAR AS trace_key, s.sample_id::VARCHAR AS sample_id
FROM trace AS t
JOIN shared USING (source, trace_id)
JOIN sample_trace AS st USING (trace_key)
JOIN sample AS s USING (sample_id)
JOIN origin AS o USING (sample_id)
WHERE o.trajectory_id IS NULL AND t.error IS NULL
ORDER BY t.source, t.trace_id, t.trace_key, s.sample_id;
