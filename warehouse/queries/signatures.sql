-- The sketches that the search for copies knows under this fingerprint; turns of one trajectory are one group, and so are a
-- sample and what was made of it.
SELECT g.sample_id::VARCHAR AS sample_id, g.minhash, coalesce(o.trajectory_id, o.origin_id)::VARCHAR AS "group", s.timestamp
FROM signature AS g
JOIN sample AS s USING (sample_id)
JOIN origin AS o USING (sample_id)
WHERE g.fingerprint = $fingerprint;
