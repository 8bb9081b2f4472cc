-- Replies about canaries and sentinels that are not known yet; folding the same one in twice adds nothing.
INSERT INTO watch
SELECT DISTINCT ON (judgement_id)
    judgement_id::UUID, occasion::UUID, watched, sample_id::UUID, spec, backend, model, status, input_tokens, output_tokens,
    cached_tokens, usd, raw, received_at
FROM incoming
WHERE judgement_id::UUID NOT IN (SELECT watch_id FROM watch);
