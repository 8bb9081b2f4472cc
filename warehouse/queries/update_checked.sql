-- What was found from a recipe's last check on until the next one began.
UPDATE checked SET reasons = $reasons
WHERE recipe = $recipe AND checked_at = (SELECT max(checked_at) FROM checked WHERE recipe = $recipe);
