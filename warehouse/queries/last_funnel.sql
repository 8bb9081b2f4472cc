-- The funnel at the end of the last refresh of a recipe that came so far.
SELECT funnel, finished_at FROM refresh WHERE recipe = $recipe AND funnel IS NOT NULL ORDER BY started_at DESC LIMIT 1;
