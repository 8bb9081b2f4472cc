-- Takes back a recipe's verdicts that are not incoming again just as they stand.
DELETE FROM verdict AS v
WHERE v.recipe = $recipe AND NOT EXISTS (
    SELECT 1 FROM incoming AS i
    WHERE i.sample_id::UUID = v.sample_id AND i.accepted = v.accepted AND i.stage IS NOT DISTINCT FROM v.stage
        AND i.reason IS NOT DISTINCT FROM v.reason
);
