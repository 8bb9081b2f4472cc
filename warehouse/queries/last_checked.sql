-- What the last checks of a recipe found, newest first.
SELECT checked_at, samples, reasons FROM checked WHERE recipe = $recipe ORDER BY checked_at DESC LIMIT $most;
