-- How many verdicts a recipe has.
SELECT count(*) AS verdicts FROM verdict WHERE recipe = $recipe;
