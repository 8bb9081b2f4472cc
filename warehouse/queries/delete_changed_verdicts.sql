-- Takes back a recipe's verdicts that come in otherwise than they stand, and those of samples that are no members any more.
DELETE FROM verdict AS v
WHERE v.recipe = $recipe
    AND (
        v.sample_id IN (SELECT sample_id::UUID FROM incoming)
        OR v.sample_id NOT IN (SELECT sample_id::UUID FROM members)
    )
    AND NOT EXISTS (
        SELECT 1 FROM incoming AS i
        WHERE i.sample_id::UUID = v.sample_id AND i.accepted = v.accepted AND i.stage IS NOT DISTINCT FROM v.stage
            AND i.reason IS NOT DISTINCT FROM v.reason
    );
