-- Of the samples that wait for the judge, those that another paid specification has scored: which, and how many.
SELECT j.spec, any_value(j.model) AS model, count(DISTINCT j.sample_id) AS samples
FROM judgement AS j
JOIN work AS w ON w.sample_id::UUID = j.sample_id
WHERE j.spec <> $spec AND j.status = 'ok' AND j.backend <> 'offline'
GROUP BY j.spec
ORDER BY samples DESC, j.spec;
