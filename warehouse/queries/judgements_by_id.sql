-- These judgements whole, with the reply as it came.
SELECT
    j.judgement_id::VARCHAR AS judgement_id, j.sample_id::VARCHAR AS sample_id, j.spec, j.backend, j.model, j.status, j.scores,
    j.overall, j.rationale, j.input_tokens, j.output_tokens, j.cached_tokens, j.usd, j.raw, j.received_at
FROM judgement AS j
JOIN wanted AS w ON w.judgement_id::UUID = j.judgement_id;
