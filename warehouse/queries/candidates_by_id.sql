-- What was offered with the wanted samples.
SELECT s.sample_id::VARCHAR AS sample_id, s.candidates
FROM sample AS s
WHERE s.sample_id IN (SELECT sample_id::UUID FROM wanted)
ORDER BY s.sample_id;
