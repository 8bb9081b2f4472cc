-- The samples named, and those that the named traces hold with all that was made of them: a run first, then its turns in
-- their order, each before what was made of it.
WITH found AS (
    SELECT sample_id::UUID AS sample_id FROM ids
    UNION
    SELECT h.sample_id FROM held AS h JOIN keys AS k ON h.trace_key = k.trace_key::UUID
)
SELECT s.sample_id::VARCHAR AS sample_id
FROM found AS f
JOIN sample AS s USING (sample_id)
JOIN origin AS o USING (sample_id)
ORDER BY
    coalesce(o.trajectory_id, o.origin_id), s.turn NULLS FIRST, o.origin_id,
    (SELECT count(*) FROM ancestor AS a WHERE a.sample_id = s.sample_id), s.first_seen, s.sample_id;
