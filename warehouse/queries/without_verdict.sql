-- Members whose verdict under one recipe must be given anew: they have none, it is open, or a decision about them has changed.
SELECT m.sample_id, m.kind, m.replaced_by
FROM members AS m
LEFT JOIN verdict AS v ON v.recipe = $recipe AND v.sample_id = m.sample_id::UUID
WHERE v.sample_id IS NULL OR v.reason = 'undecided' OR m.sample_id IN (SELECT sample_id FROM changed);
