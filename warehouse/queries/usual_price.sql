-- What a judgement of the waiting samples has cost on average, in US dollars; null where none was paid for.
SELECT avg(j.usd)::DOUBLE AS usd
FROM judgement AS j
JOIN work AS w ON w.sample_id::UUID = j.sample_id
WHERE j.usd > 0;
