-- What the parser of today reads in stored replies; the replies themselves and their prices stay as they are.
UPDATE judgement AS j
SET
    status = i.status, scores = i.scores, overall = i.overall, rationale = i.rationale,
    input_tokens = i.input_tokens, output_tokens = i.output_tokens, cached_tokens = i.cached_tokens
FROM incoming AS i
WHERE j.judgement_id = i.judgement_id::UUID;
