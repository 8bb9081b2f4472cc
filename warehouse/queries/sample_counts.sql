-- Samples that traces hold by kind, and how often one came again: a sample held by n traces has been repeated n - 1 times.
WITH held AS (
    SELECT s.sample_id, s.kind, o.trajectory_id, count(DISTINCT t.trace_key) AS traces
    FROM sample AS s
    JOIN sample_trace AS st USING (sample_id)
    JOIN trace AS t USING (trace_key)
    JOIN origin AS o USING (sample_id)
    WHERE NOT $only_sources OR t.source IN (SELECT name FROM sources)
    GROUP BY s.sample_id, s.kind, o.trajectory_id
)
SELECT kind, count(*) AS samples, coalesce(sum(traces - 1) FILTER (WHERE trajectory_id IS NULL), 0)::BIGINT AS repeated
FROM held
GROUP BY kind
ORDER BY kind;
