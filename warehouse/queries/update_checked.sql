-- What is found since a recipe's last check: of the judge's round that follows it.
UPDATE checked SET samples = $samples, reasons = $reasons
WHERE recipe = $recipe AND checked_at = (SELECT max(checked_at) FROM checked WHERE recipe = $recipe);
