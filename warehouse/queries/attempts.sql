-- How often each sample has been judged under a specification, in how many runs, and whether one of the replies gave a
-- score. A reply that was cut off or cannot be read is asked for again in its run: two of them are one try.
SELECT
    sample_id::VARCHAR AS sample_id, count(*) AS attempts,
    sum(CASE WHEN status IN ('truncated', 'unparseable') AND input_tokens > 0 THEN 0.5 ELSE 1.0 END)::DOUBLE AS tries,
    bool_or(status = 'ok') AS scored
FROM judgement
WHERE spec = $spec
GROUP BY sample_id;
