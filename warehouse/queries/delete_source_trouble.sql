-- Makes room for the trouble of today.
DELETE FROM source_trouble WHERE recipe = $recipe;
