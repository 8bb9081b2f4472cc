-- Verdicts of samples that have none under this recipe.
INSERT INTO verdict
SELECT $recipe, i.sample_id::UUID, i.accepted, i.stage, i.reason
FROM incoming AS i
WHERE i.sample_id::UUID NOT IN (SELECT sample_id FROM verdict WHERE recipe = $recipe);
