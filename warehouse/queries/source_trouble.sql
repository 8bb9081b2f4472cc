-- The sources of a recipe that could not be read at its last refresh.
SELECT source, sentence, since FROM source_trouble WHERE recipe = $recipe ORDER BY source;
