-- How often each canary and sentinel has been asked about on an occasion, and whether one of the replies gave a score.
SELECT sample_id::VARCHAR AS sample_id, count(*) AS attempts, bool_or(status = 'ok') AS scored
FROM watch
WHERE occasion = $occasion::UUID
GROUP BY sample_id;
