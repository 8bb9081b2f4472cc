-- Members that no stage before the judge has put out, by their verdict under one recipe: it names the first that did.
SELECT m.sample_id, m.kind, m.parent_id, m.timestamp
FROM members AS m
JOIN verdict AS v ON v.sample_id = m.sample_id::UUID
WHERE v.recipe = $recipe AND (v.accepted OR v.stage = $judge)
ORDER BY m.sample_id;
