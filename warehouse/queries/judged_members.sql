-- The members of a recipe, as its last verdict knew them, that have a score under a specification, and which.
SELECT DISTINCT ON (j.sample_id) j.sample_id::VARCHAR AS sample_id, j.scores
FROM judgement AS j
JOIN verdict AS v ON v.sample_id = j.sample_id AND v.recipe = $recipe
WHERE j.spec = $spec AND j.status = 'ok'
ORDER BY j.sample_id, j.received_at DESC, j.judgement_id;
