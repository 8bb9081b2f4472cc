-- How many samples that were made of others had a verdict under the recipe and are no longer among its members.
SELECT count(*) AS samples
FROM verdict AS v
WHERE v.recipe = $recipe
    AND v.sample_id IN (SELECT child_id FROM derivation)
    AND v.sample_id NOT IN (SELECT sample_id::UUID FROM members);
