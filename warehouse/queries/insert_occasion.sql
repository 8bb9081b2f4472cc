-- A run of the judge begins.
INSERT INTO occasion (occasion, recipe, spec, started_at) VALUES ($occasion::UUID, $recipe, $spec, $started_at);
