-- A refresh that is still said to run although nobody holds its recipe's lock was killed.
UPDATE refresh SET state = 'crashed', detail = 'it was killed', finished_at = $now WHERE recipe = $recipe AND state = 'running';
