-- How many of one stage's incoming decisions do not stand just so under its fingerprint, and how many verdicts a recipe has.
SELECT count(*) AS changed, (SELECT count(*) FROM verdict WHERE recipe = $recipe) AS verdicts
FROM incoming AS i
LEFT JOIN decision AS d
    ON d.sample_id = i.sample_id::UUID AND d.stage = $stage AND d.fingerprint = $fingerprint
    AND d.outcome = i.outcome AND d.detail IS NOT DISTINCT FROM i.detail
WHERE d.sample_id IS NULL;
