-- Replies that are not known yet; folding the same one in twice adds nothing.
INSERT INTO writing
SELECT DISTINCT ON (writing_id)
    writing_id::UUID, task, subject, asked, spec, backend, model, status, why, input_tokens, output_tokens, cached_tokens, usd, raw,
    received_at
FROM incoming
WHERE writing_id::UUID NOT IN (SELECT writing_id FROM writing);
