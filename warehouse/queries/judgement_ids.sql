-- Every judgement under a specification.
SELECT judgement_id::VARCHAR AS judgement_id FROM judgement WHERE spec = $spec ORDER BY judgement_id;
