-- Per wanted subject the reply that counts under a specification (the latest that is ok, else the latest that holds anything),
-- how often it was asked, and what all its replies cost.
SELECT DISTINCT ON (subject)
    subject, status, model, raw,
    count(*) OVER (PARTITION BY subject) AS attempts,
    coalesce(sum(usd) OVER (PARTITION BY subject), 0)::DOUBLE AS usd
FROM writing
WHERE spec = $spec AND subject IN (SELECT subject FROM wanted)
ORDER BY subject, status = 'ok' DESC, status <> 'api_error' DESC, received_at DESC, writing_id;
